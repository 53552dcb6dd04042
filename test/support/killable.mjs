// `killable.mjs DIST MODULE…`: loads these modules, says `ready`, takes a command line as a message, says `begun` and
// runs it as `kubedos` would. So who kills it knows when the work began, and how long it takes without the loading.
const [dist, ...modules] = process.argv.slice(2);
await Promise.all(modules.map((name) => import(`${dist}/${name}`)));
process.once('message', (args) => {
  process.argv.splice(1, process.argv.length, `${dist}/cli/main.js`, ...args);
  process.send('begun', async () => {
    process.disconnect();
    await import(`${dist}/cli/main.js`);
  });
});
process.send('ready');
