import { S3Client } from '@aws-sdk/client-s3';
import { connections, retries } from './client-settings.ts';

/** @param pathStyle puts the bucket into the path instead of the host name, as S3 on one address needs it */
export function createS3Client(pathStyle: boolean): S3Client {
  return new S3Client({ ...retries, requestHandler: connections(60_000), forcePathStyle: pathStyle });
}
