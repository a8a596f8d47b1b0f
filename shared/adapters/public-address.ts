import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose IPv4 blocks that are not globally reachable, multicast and the reserved rest. */
const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/**
 * Global unicast, the only IPv6 block that can be public. IPv4-mapped, translated (64:ff9b::/96), unique-local,
 * link-local and multicast addresses all lie outside of it.
 */
const PUBLIC_IPV6 = ['2000::/3'];

/** Inside of it: protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4 address. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

function blocks(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

const notPublicIpv4 = blocks(NOT_PUBLIC_IPV4, 'ipv4');
const publicIpv6 = blocks(PUBLIC_IPV6, 'ipv6');
const notPublicIpv6 = blocks(NOT_PUBLIC_IPV6, 'ipv6');

/** True for an IP address that belongs to the public internet; false for every other text. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublicIpv4.check(address, 'ipv4');
    case 6:
      return !address.includes('%') && publicIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}
