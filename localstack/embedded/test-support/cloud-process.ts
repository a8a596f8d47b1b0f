import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { startLocalCloud } from '../local-cloud.ts';

/** A local cloud in a process of its own, to be killed. Its functions never succeed. Prints its environment. */
const [dataDir = ''] = process.argv.slice(2);
const definition = resourceDefinition(1);
const failing = {
  handler: async () => {
    throw new Error('down');
  },
};
const cloud = await startLocalCloud({
  dataDir,
  resources: {
    ...definition,
    rules: [
      ...definition.rules,
      { name: 'hook', pattern: { source: ['hook'] }, targets: [{ id: 'f', function: 'f' }] },
    ],
  },
  functions: { f: failing, 'event-projector': failing },
});
console.log(JSON.stringify(cloud.env));
