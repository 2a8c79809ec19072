import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { AppError } from '../errors.js';

/**
 * Addresses that no request from outside may reach. `private`: this machine and its networks, where trainers run; naming the
 * host or the network in the allowlist opens them. `forbidden`: instance metadata, link-local, addresses that embed others, and
 * what no server has; only naming the network itself opens these.
 * Source: the IANA special-purpose address registries for IPv4 and IPv6, and the clouds' metadata addresses.
 */
const SPECIAL: readonly (readonly [network: string, kind: 'private' | 'forbidden', what: string])[] = [
  ['169.254.0.0/16', 'forbidden', 'link-local, where clouds keep instance metadata'],
  ['fe80::/10', 'forbidden', 'link-local'],
  ['fd00:ec2::254/128', 'forbidden', 'instance metadata'],
  ['100.100.100.200/32', 'forbidden', 'instance metadata'],
  ['168.63.129.16/32', 'forbidden', 'instance metadata'],
  ['0.0.0.0/8', 'forbidden', 'unspecified'],
  ['::/128', 'forbidden', 'unspecified'],
  ['192.0.0.0/24', 'forbidden', 'reserved'],
  ['192.0.2.0/24', 'forbidden', 'reserved'],
  ['192.88.99.0/24', 'forbidden', 'reserved'],
  ['198.18.0.0/15', 'forbidden', 'reserved'],
  ['198.51.100.0/24', 'forbidden', 'reserved'],
  ['203.0.113.0/24', 'forbidden', 'reserved'],
  ['224.0.0.0/4', 'forbidden', 'multicast'],
  ['240.0.0.0/4', 'forbidden', 'reserved'],
  ['64:ff9b::/96', 'forbidden', 'an IPv4 address in disguise'],
  ['64:ff9b:1::/48', 'forbidden', 'an IPv4 address in disguise'],
  ['2002::/16', 'forbidden', 'an IPv4 address in disguise'],
  ['2001::/23', 'forbidden', 'reserved'],
  ['2001:db8::/32', 'forbidden', 'reserved'],
  ['3fff::/20', 'forbidden', 'reserved'],
  ['100::/64', 'forbidden', 'reserved'],
  ['fec0::/10', 'forbidden', 'reserved'],
  ['ff00::/8', 'forbidden', 'multicast'],
  ['127.0.0.0/8', 'private', 'loopback'],
  ['::1/128', 'private', 'loopback'],
  ['10.0.0.0/8', 'private', 'private'],
  ['172.16.0.0/12', 'private', 'private'],
  ['192.168.0.0/16', 'private', 'private'],
  ['100.64.0.0/10', 'private', 'private'],
  ['fc00::/7', 'private', 'private'],
];

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a name, like `dns.lookup` with `all`. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

export type GuardDecision =
  | { readonly ok: true; readonly addresses: readonly ResolvedAddress[] }
  /** For people; names the host, never an address that a name server gave. */
  | { readonly ok: false; readonly reason: string };

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function networkOf(text: string): BlockList | null {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return null;
  const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32) || prefix === '') return null;
  const network = new BlockList();
  network.addSubnet(address, bits, familyOf(address));
  return network;
}

const special = SPECIAL.map(([network, kind, what]) => ({ network: networkOf(network), kind, what }));
const globalIpv6 = networkOf('2000::/3');

/** What is special about an address; null for one on the public internet. IPv4 inside IPv6 (`::ffff:…`) counts as IPv4. */
export function specialKindOf(address: string): { kind: 'private' | 'forbidden'; what: string } | null {
  const family = familyOf(address);
  const found = special.find(({ network }) => network?.check(address, family));
  if (found !== undefined) return { kind: found.kind, what: found.what };
  const mapped = /^::ffff:/i.test(address);
  if (family === 'ipv6' && !mapped && !globalIpv6?.check(address, 'ipv6'))
    return { kind: 'forbidden', what: 'reserved' };
  return null;
}

const HOST_PATTERN = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** `10.0.0.0/8`, `127.0.0.1`, `trainer.internal`, `*.svc.cluster.local` (any depth below it). */
function parseAllow(entries: readonly string[]) {
  const networks: BlockList[] = [];
  const hosts: string[] = [];
  for (const entry of entries) {
    const text = entry.trim().toLowerCase();
    const network = networkOf(text);
    if (network !== null) networks.push(network);
    else if (HOST_PATTERN.test(text) && !/^[\d.]+$/.test(text)) hosts.push(text);
    else
      throw new AppError(
        'config_invalid',
        `webhooks.allow: ${entry.slice(0, 100)} is no network and no host: write 10.0.0.0/8, 127.0.0.1, trainer.internal or *.svc.cluster.local`,
      );
  }
  return {
    address: (address: string) => networks.some((network) => network.check(address, familyOf(address))),
    host: (hostname: string) =>
      hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host)),
  };
}

/** The host of a URL as a name or an address: without brackets, without a final dot, in lower case. */
const hostnameOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

const remedy = (hostname: string) => `if that is meant, add ${hostname} or its network to webhooks.allow`;

/**
 * Decides where requests may go. A name is resolved once per request; the caller connects to the very addresses that were
 * checked, so that a second answer of the name server (DNS rebinding) changes nothing. One refused address refuses the name.
 * Plain http is for allowed hosts and networks only: elsewhere body and token would cross the internet readable.
 *
 * @param options.allow networks and hosts of the operator's configuration
 * @throws AppError config_invalid when an entry of `allow` cannot be read
 */
export function createAddressGuard(options: {
  readonly allow: readonly string[];
  readonly resolve?: Resolve;
}) {
  const allowed = parseAllow(options.allow);
  const resolve = options.resolve ?? ((hostname: string) => lookup(hostname, { all: true }));

  function refusal(url: URL, addresses: readonly { address: string }[]): string | null {
    const hostname = hostnameOf(url);
    const named = allowed.host(hostname);
    for (const { address } of addresses) {
      if (allowed.address(address)) continue;
      const found = specialKindOf(address);
      if (found?.kind === 'forbidden')
        return `${hostname} leads to a refused address (${found.what}): only its network in webhooks.allow opens it`;
      if (found?.kind === 'private' && !named)
        return `${hostname} leads to a refused address (${found.what}): ${remedy(hostname)}`;
      if (found === null && !named && url.protocol !== 'https:')
        return `${hostname} is outside and would be sent plain text: use https, or ${remedy(hostname)}`;
    }
    return null;
  }

  return {
    /** What the address alone tells: a reason to refuse, or null when a name server has to be asked first. */
    refusalOf(url: URL): string | null {
      const hostname = hostnameOf(url);
      if (isIP(hostname) !== 0) return refusal(url, [{ address: hostname }]);
      if (hostname === 'localhost' || hostname.endsWith('.localhost'))
        return refusal(url, [{ address: '127.0.0.1' }]);
      return null;
    },

    /** Rejects when the name cannot be resolved. */
    async decide(url: URL): Promise<GuardDecision> {
      const hostname = hostnameOf(url);
      const version = isIP(hostname);
      const addresses =
        version === 0 ? await resolve(hostname) : [{ address: hostname, family: version === 6 ? 6 : 4 }];
      if (addresses.length === 0) return { ok: false, reason: `${hostname} has no address` };
      const reason = refusal(url, addresses);
      if (reason !== null) return { ok: false, reason };
      return {
        ok: true,
        addresses: addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })),
      };
    },
  };
}

export type AddressGuard = ReturnType<typeof createAddressGuard>;
