import { describe, expect, it } from '@jest/globals';
import { createAddressGuard, specialKindOf } from '../../../src/alerts/address-guard.js';

/** A name server in a table. */
const names: Record<string, string[]> = {
  'hooks.example.com': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'trainer.internal': ['10.1.2.3'],
  'half.example.com': ['93.184.215.14', '10.1.2.3'],
  'metadata.internal': ['169.254.169.254'],
  'nowhere.example.com': [],
};
const resolve = async (hostname: string) =>
  (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
const decide = (url: string, allow: string[] = []) =>
  createAddressGuard({ allow, resolve }).decide(new URL(url));

describe('address guard', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    'fec0::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:1::',
    '2001:db8::1',
  ])('counts %s as special', (address) => {
    expect(specialKindOf(address)).not.toBeNull();
  });

  it.each(['93.184.215.14', '8.8.8.8', '172.32.0.1', '100.128.0.1', '::ffff:8.8.8.8', '2606:4700::1111'])(
    'counts %s as public',
    (address) => {
      expect(specialKindOf(address)).toBeNull();
    },
  );

  it('gives all addresses of a public name', async () => {
    expect(await decide('https://hooks.example.com/x')).toEqual({
      ok: true,
      addresses: [
        { address: '93.184.215.14', family: 4 },
        { address: '2606:2800:21f:cb07:6820:80da:af6b:8b2c', family: 6 },
      ],
    });
  });

  it.each([
    ['http://hooks.example.com/', /plain text/],
    ['https://trainer.internal/', /\(private\).*add trainer\.internal/],
    ['https://half.example.com/', /\(private\)/],
    ['https://metadata.internal/', /instance metadata/],
    ['https://nowhere.example.com/', /has no address/],
    ['https://127.0.0.1/', /loopback/],
    ['https://2130706433/', /loopback/],
    ['https://0x7f.1/', /loopback/],
    ['https://[::ffff:169.254.169.254]/', /refused/],
    ['https://[64:ff9b::7f00:1]/', /disguise/],
  ])('refuses %s', async (url, reason) => {
    expect(await decide(url)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it.each([
    ['http://trainer.internal/', ['trainer.internal']],
    ['http://trainer.internal./', []],
    ['http://TRAINER.internal/', ['*.internal']],
    ['http://trainer.internal/', ['10.0.0.0/8']],
    ['http://127.0.0.1:9/', ['127.0.0.1']],
    ['http://[::1]:9/', ['::1/128']],
    ['http://[::ffff:127.0.0.1]/', ['127.0.0.0/8']],
    ['http://hooks.example.com/', ['hooks.example.com']],
    ['http://metadata.internal/', ['169.254.169.254/32']],
  ])('decides %s with %j by the list', async (url, allow) => {
    expect((await decide(url, allow)).ok).toBe(allow.length > 0);
  });

  it.each([
    ['https://metadata.internal/', ['metadata.internal'], /only its network/],
    ['https://metadata.internal/', ['10.0.0.0/8', '*.internal'], /only its network/],
    ['https://half.example.com/', ['hooks.example.com'], /private/],
    ['https://evil-trainer.internal.example.com/', ['trainer.internal'], /has no address/],
  ])('does not open %s by %j', async (url, allow, reason) => {
    expect(await decide(url, allow)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('tells from the address alone what can be told', () => {
    const { refusalOf } = createAddressGuard({ allow: [], resolve });
    expect(refusalOf(new URL('http://localhost:8080/'))).toMatch(/loopback/);
    expect(refusalOf(new URL('https://192.168.0.7/'))).toMatch(/webhooks\.allow/);
    expect(refusalOf(new URL('https://trainer.internal/'))).toBeNull();
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', 'http://x', 'a b', '*', '300.1.1.1', '10.0.0.0/8/8', '-x'])(
    'refuses the entry %s',
    (entry) => {
      expect(() => createAddressGuard({ allow: [entry] })).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(entry) }),
      );
    },
  );
});
