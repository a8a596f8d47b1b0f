import { expect, it } from 'vitest';
import { deploymentOf } from './deployment.ts';

const address = { endpoint: 'http://127.0.0.1:4566', account: '000000000000', region: 'us-east-1' };
const outputs = {
  'trunkline-dev-data': { AdministratorKeySecret: 'trunkline-dev/administrator-key' },
  'trunkline-dev-stream': { StreamUrl: 'wss://57ea3000.execute-api.us-east-1.amazonaws.com/ws' },
  'trunkline-dev-api': { ApiUrl: 'https://abc123.execute-api.us-east-1.amazonaws.com/v1' },
};

it('names the API where the emulator has it, and the resources as the stacks do', () => {
  expect(deploymentOf(outputs, address)).toEqual({
    apiUrl: 'http://127.0.0.1:4566/restapis/abc123/v1/_user_request_',
    streamUrl: 'ws://127.0.0.1:4566/_aws/execute-api/57ea3000/ws',
    administratorKeySecret: 'trunkline-dev/administrator-key',
    env: {
      RESOURCE_PREFIX: 'trunkline-dev',
      BUCKET_SUFFIX: '-000000000000-us-east-1',
      PUBLIC_URL: 'http://127.0.0.1:4566/restapis/abc123/v1/_user_request_',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_REGION: 'us-east-1',
      S3_PATH_STYLE: 'true',
    },
  });
});

it('says what is missing', () => {
  expect(() => deploymentOf({ 'trunkline-dev-data': {} }, address)).toThrow('ApiUrl');
});
