import { checkDocument, type DocumentFolder, openSealed, sealDocument } from './documents.ts';
import type { ProcessLock } from './lock.ts';
import { checkLabelName } from './names.ts';
import { labelsSchema } from './schemas.ts';
import type { LabelStore, Labels } from './types.ts';

const NONE: Labels = { tags: {}, protected: [], acknowledged: {} };

/** labels.json */
export class LabelFile implements LabelStore {
  readonly #file: string;
  readonly #documents: DocumentFolder;
  readonly #lock: ProcessLock;

  constructor(file: string, documents: DocumentFolder, lock: ProcessLock) {
    this.#file = file;
    this.#documents = documents;
    this.#lock = lock;
  }

  async read(): Promise<Labels> {
    const bytes = await this.#documents.read(this.#file);
    return bytes ? openSealed(bytes, labelsSchema, 'labels.json') : NONE;
  }

  update(change: (labels: Labels) => Labels): Promise<Labels> {
    return this.#lock.hold('labels', async () => {
      const before = await this.read();
      const changed = change(before);
      for (const tag of Object.keys(changed.tags)) if (!(tag in before.tags)) checkLabelName('tag', tag);
      const labels: Labels = { ...changed, protected: [...new Set(changed.protected)].sort() };
      checkDocument({ ...labels }, labelsSchema, 'new labels.json');
      const bytes = sealDocument(labels);
      if (!bytes.equals(sealDocument(before))) await this.#documents.write(this.#file, bytes);
      return labels;
    });
  }
}
