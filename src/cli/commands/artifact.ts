import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, KubedosError } from '../../errors.ts';
import type { FoundArtifact } from '../../image/image-list.ts';
import type { VerifyDeps } from '../../image/verify-image.ts';
import type { ManifestEntry } from '../../store/types.ts';
import { type CommandSpec, type Context, type Input, YES } from '../command.ts';
import { exportToDevice } from '../device-export.ts';
import { fields, table } from '../render/table.ts';
import { formatBytes, formatCount, formatNumber } from '../render/units.ts';

const ARTIFACT = { name: 'artifact', summary: 'an image, or one of its files: node, node.raw, image-node/node.raw' };
const OF = [
  { flags: '--channel <name>', summary: 'as the snapshot of this channel holds it (default: the newest)' },
  { flags: '--snapshot <id>', summary: 'as this snapshot holds it' },
];

export const ARTIFACT_COMMANDS: readonly CommandSpec[] = [
  {
    path: 'artifact list',
    summary: 'the images that were baked here, or came by bundle',
    options: OF,
    examples: ['kubedos artifact list', 'kubedos artifact list --channel stable'],
    run: async (context, input) => {
      const images = (await imagesOf(context, input)).map(({ name, recipe, entries }) => ({
        image: name,
        artifacts: [...entries.values()].filter(({ path }) => !isDocument(recipe, path)),
      }));
      const rows = images.flatMap(({ image, artifacts }) =>
        artifacts.map(({ path, sizeBytes, sha256 }) => [image, path, formatBytes(sizeBytes), sha256]),
      );
      return { data: images, text: table(['IMAGE', 'ARTIFACT', 'SIZE', 'SHA-256'], rows) };
    },
  },
  {
    path: 'artifact show',
    summary: 'what an image was made of, what is in it, and who signed it',
    arguments: [ARTIFACT],
    options: OF,
    examples: ['kubedos artifact show node', 'kubedos artifact show node.raw --channel stable'],
    run: async (context, input) => {
      const [{ trustedProvenance, readDocument }, { readProvenance }, { provenanceName }] = await Promise.all([
        import('../../image/verify-image.ts'),
        import('../../image/provenance.ts'),
        import('../../image/image-list.ts'),
      ]);
      const { image, path } = await find(context, input);
      const deps = await verifyDeps(context);
      // Shown whoever signed it; `verify` is what refuses.
      const signature = await trustedProvenance(deps, image).catch((error: unknown) => {
        if (error instanceof KubedosError && error.kind === 'trust') return error;
        throw error;
      });
      const file = provenanceName(image.recipe);
      const made = readProvenance(await readDocument(deps.objects, image, file), `${image.name}/${file}`);
      const contents = [...made.byproducts.keys()];
      const sbom = contents.find((each) => each.endsWith('.cdx.json'));
      const bill =
        sbom && (JSON.parse(`${await readDocument(deps.objects, image, sbom)}`) as { components: unknown[] });
      const artifacts = [...made.subjects.keys()]
        .flatMap((each) => image.entries.get(each) ?? [])
        .filter((each) => path === undefined || each.path === path);
      const data = {
        image: image.name,
        artifacts,
        snapshot: made.snapshot,
        recipe: made.recipe,
        recipes: made.recipes,
        tools: made.tools,
        packages: bill ? bill.components.length : null,
        contents,
        provenance: file,
        signedBy: signature instanceof KubedosError ? null : signature.signedBy,
      };
      return {
        data,
        text: fields([
          ['image', data.image],
          ...artifacts.map(
            (each) => ['artifact', `${each.path}  ${formatBytes(each.sizeBytes)}  ${each.sha256}`] as const,
          ),
          ['snapshot', data.snapshot],
          ...data.recipes.map(({ name, sha256 }) => ['recipe', `${name}  ${sha256}`] as const),
          ['packages', data.packages === null ? '?' : formatNumber(data.packages)],
          ['contents', contents.join(' ')],
          ['provenance', file],
          ['tools', Object.entries(data.tools).flat().join(' ')],
          ['signed by', signature instanceof KubedosError ? signature.message : signature.signedBy.join(' ')],
        ]),
      };
    },
  },
  {
    path: 'artifact verify',
    summary: 'is an image signed by a key that is trusted here, and are its files what was signed?',
    description: 'Reads every byte again. Exit status 3 where a signature or provenance is refused, 8 for damage.',
    arguments: [ARTIFACT],
    options: OF,
    examples: ['kubedos artifact verify node', 'kubedos artifact verify node.raw --channel stable'],
    run: async (context, input) => {
      const { verifyImage } = await import('../../image/verify-image.ts');
      const report = await verifyImage(await verifyDeps(context), await find(context, input), context);
      const { image, sound, findings, signedBy } = report;
      const lines = findings.map(({ code, message }) => `${code}: ${message}`);
      const end =
        findings.length === 0
          ? `${image}: ${formatCount(sound.length, 'file')} as signed by ${signedBy.join(', ')}`
          : `${image}: ${formatCount(findings.length, 'finding')}`;
      const refused = findings.some(({ code }) => /^(?:trust|artifact)\./.test(code));
      return { data: report, text: [...lines, end].join('\n'), exit: findings.length === 0 ? 0 : refused ? 3 : 8 };
    },
  },
  {
    path: 'artifact export',
    summary: 'write an artifact to a file, or to a disk, which is read back',
    description:
      'A disk is shown first, with what would be lost, and written to with --yes alone. Refused is what is mounted, in use or too small, and the disk of the running system. What was written is read back from the disk itself.',
    arguments: [ARTIFACT],
    options: [
      { flags: '--to <file>', summary: 'a file, a folder, or a block device', required: true },
      ...OF,
      { flags: '--force', summary: 'replace a file that is there' },
      { flags: '--partition', summary: 'the device may be a partition' },
      YES,
    ],
    examples: [
      'kubedos artifact export node.raw --to /media/usb/',
      'kubedos artifact export node.raw --to /dev/sdb --yes',
    ],
    run: async (context, input) => {
      const deps = await verifyDeps(context);
      const entry = await exportable(deps, await find(context, input));
      const to = input.required('to');
      const target = await stat(to).catch(absent);
      if (target?.isBlockDevice()) return exportToDevice(context, input, { objects: deps.objects, entry, to });
      const file = target?.isDirectory() ? join(to, basename(entry.path)) : to;
      const there = target?.isDirectory() ? await stat(file).catch(absent) : target;
      if (there !== undefined && !(input.flag('force') && there.isFile()))
        throw new KubedosError('artifact.exists', `export ${entry.path}: ${file} is there already`, {
          hint: there.isFile() ? 'add --force to replace it' : 'name a file, a folder or a block device',
        });
      const { exportFile } = await import('../../image/export-file.ts');
      await exportFile(deps.objects, entry, file, context);
      return {
        data: { file, sha256: entry.sha256, sizeBytes: entry.sizeBytes },
        text: `${entry.sha256}  ${file}  ${formatBytes(entry.sizeBytes)}`,
      };
    },
  },
];

function absent(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}

function isDocument(recipe: string, path: string): boolean {
  return [`${recipe}.spdx.json`, `${recipe}.cdx.json`, `${recipe}.provenance.json`].includes(
    path.replace(/\.asc$/, ''),
  );
}

async function imagesOf(context: Context, input: Input) {
  const { listImages } = await import('../../image/image-list.ts');
  const store = await context.house.store();
  const reference = input.string('snapshot') ?? input.string('channel');
  if (reference === undefined) return listImages(store);
  const snapshot = await store.snapshots.resolve(reference);
  await context.house.verifySnapshot(snapshot.bytes, snapshot.signature, `snapshot ${snapshot.id}`);
  return listImages(store, snapshot);
}

async function find(context: Context, input: Input): Promise<FoundArtifact> {
  const { findArtifact } = await import('../../image/image-list.ts');
  return findArtifact(await imagesOf(context, input), input.argument(0));
}

export async function verifyDeps({ house }: Context): Promise<VerifyDeps> {
  const { objects } = await house.store();
  const keyring = await (await house.roots()).keyring();
  return {
    objects,
    checkSignature: async (bytes, signature, origin) => {
      const { signers } = await keyring.verifyDetached(bytes, signature, origin);
      return signers.map(({ primary }) => primary);
    },
  };
}

/** The one file that is meant, where the provenance vouches for it. */
async function exportable(deps: VerifyDeps, { image, path }: FoundArtifact): Promise<ManifestEntry> {
  const { trustedProvenance, vouchedEntry } = await import('../../image/verify-image.ts');
  const trusted = await trustedProvenance(deps, image);
  const paths = path === undefined ? [...trusted.provenance.subjects.keys()] : [path];
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return vouchedEntry(trusted, image, only);
  throw new KubedosError('usage.argument', `export ${image.name}: it is ${paths.join(', ')}: name one of them`);
}
