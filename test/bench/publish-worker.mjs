/** One curated publication, as a process: `publish-worker.mjs DATA PACKAGES STATE`. STATE holds the publication before. */
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { openHouse } from '../../dist/wiring.js';

const [data = '', packages = '', state = ''] = process.argv.slice(2);
const house = openHouse(data);
const publish = await house.publisher();
const { generations, date } = existsSync(state)
  ? JSON.parse(readFileSync(state, 'utf8'))
  : { generations: [], date: 1_700_000_000 };
const published = await publish({
  suite: 'synthetic',
  codename: 'synthetic',
  origin: 'kubedos',
  label: 'bench',
  components: ['main'],
  architectures: ['amd64'],
  date: new Date((date + 1) * 1000),
  previous: generations,
  indexes: [
    {
      component: 'main',
      kind: 'Packages',
      architecture: 'amd64',
      // In blocks whose memory is used again, as the use cases hand them on.
      *stanzas() {
        const file = openSync(packages);
        const block = Buffer.allocUnsafe(262_144);
        for (let kept = 0; ; ) {
          const read = readSync(file, block, kept, block.length - kept, null);
          if (read === 0) break;
          const whole = block.lastIndexOf('\n\n', kept + read - 2) + 2;
          yield block.subarray(0, whole - 1);
          block.copy(block, 0, whole, kept + read);
          kept += read - whole;
        }
        closeSync(file);
      },
    },
  ],
});
writeFileSync(state, JSON.stringify({ generations: published.generations, date: date + 1 }));
await house.close();
