// Reads a primary.xml: `place`, what a verbatim sync asks of each package, or `all`.
import { createReadStream } from 'node:fs';
import { primaryPackage, primaryPlace } from '../../dist/formats/rpm/primary.js';
import { primaryRecords } from '../../dist/formats/rpm/primary-records.js';

const [, , file, how] = process.argv;
const read = how === 'all' ? primaryPackage : primaryPlace;
let packages = 0;
let bytes = 0;
for await (const batch of primaryRecords(createReadStream(file, { highWaterMark: 256 * 1024 }), file))
  for (const record of batch) {
    packages += 1;
    bytes += read(record, file).packageBytes;
  }
console.log(packages, bytes);
