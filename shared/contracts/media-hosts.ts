import * as z from 'zod';

const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');

/**
 * Host names and addresses that media may be fetched from although they are private, on any port; separated by commas. The
 * API and the hosts have to be told the same.
 */
export const mediaHostsEnv = { MEDIA_ALLOW_PRIVATE_HOSTS: z.string().default('').transform(words) };
