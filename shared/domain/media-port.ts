const WEB_PORTS: ReadonlySet<string> = new Set(['', '80', '443']);

/**
 * Says what is wrong with the port of a URL that media is to be fetched from. Hosts in AWS get out on the ports of the web
 * only, and what works on a laptop must work there.
 *
 * @param allowedHosts that the operator lets be private, as they stand in URLs (IPv6 without brackets): they may listen anywhere
 * @returns the rule that it breaks, for a sentence about the URL
 */
export function portRuleBrokenBy({ port, hostname }: URL, allowedHosts: ReadonlySet<string>): string | undefined {
  if (WEB_PORTS.has(port) || allowedHosts.has(hostname.replace(/^\[|\]$/g, ''))) return undefined;
  return 'must have the port 80 or 443';
}
