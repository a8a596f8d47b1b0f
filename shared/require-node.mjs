// Loaded with `node --import` before anything else: older Nodes cannot even read the TypeScript sources.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Trunkline needs Node 22.18 or later to run its TypeScript sources; this is ${process.versions.node}.\n` +
      'On Linux and Windows `npm ci` brings Node 24 with it and `npm run` uses it. Elsewhere please install Node 24.',
  );
  process.exit(1);
}
