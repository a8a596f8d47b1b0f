import { pairingOperations } from '#shared/contracts/api/pairing.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createPairingHandlers } from './pairing-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(pairingOperations, createPairingHandlers(deps), deps);
