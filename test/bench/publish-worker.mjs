/** One curated publication, as a process: `publish-worker.mjs DATA PACKAGES STATE`. STATE holds the publication before. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
      // In blocks, as the use cases hand them on.
      *stanzas() {
        const bytes = readFileSync(packages);
        for (let start = 0; start < bytes.length; ) {
          const end = bytes.indexOf('\n\n', Math.min(start + 65_536, bytes.length - 2));
          yield bytes.subarray(start, end + 1);
          start = end + 2;
        }
      },
    },
  ],
});
writeFileSync(state, JSON.stringify({ generations: published.generations, date: date + 1 }));
await house.close();
