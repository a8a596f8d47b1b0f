import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DependencyError } from '../domain/errors.ts';
import { dependencyError } from './aws-errors.ts';

/** Reads secrets that are text, by name or ARN. */
export function createSecretReader(client = new SecretsManagerClient({})): (id: string) => Promise<string> {
  return async (id) => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
      if (SecretString === undefined) throw new DependencyError('The secret is not text');
      return SecretString;
    } catch (error) {
      throw error instanceof DependencyError ? error : dependencyError('Secrets Manager GetSecretValue', error);
    }
  };
}
