import { describe, expect, it } from '@jest/globals';
import { decodeMetadataResponse, encodeMetadataRequest } from '../../../src/collectors/kafka-topic-ids.js';

describe('metadata request v10', () => {
  it('is laid out as the protocol says', () => {
    expect(encodeMetadataRequest(['ab']).toString('hex')).toBe(
      // header tags, one topic, id of zeros, name, tags, three flags, tags
      `00${'02'}${'00'.repeat(16)}${'03'}6162${'00'}${'000000'}${'00'}`,
    );
  });

  it('writes long names with a two-byte length', () => {
    const request = encodeMetadataRequest(['x'.repeat(200)]);
    expect(request.subarray(18, 20).toString('hex')).toBe('c901');
  });
});

describe('metadata response v10', () => {
  it('yields ids of the topics that exist, over unknown tags and several partitions', () => {
    const id = '000102030405060708090a0b0c0d0e0f';
    const partition = (index: number) =>
      `0000${index.toString(16).padStart(8, '0')}${'00000001'}${'00000000'}${'0200000001'}${'0200000001'}${'01'}${'00'}`;
    const response = [
      '00', // header tags
      '00000000', // throttle
      `02${'00000001'}${'0a'}${Buffer.from('127.0.0.1').toString('hex')}${'00004a94'}${'00'}${'0105021234'}`, // a broker, with a tag
      `04${Buffer.from('cid').toString('hex')}`,
      '00000001', // controller
      '03', // two topics
      `0000${'03'}6162${id}${'00'}${'03'}${partition(0)}${partition(1)}${'80000000'}${'00'}`,
      `0003${'03'}6364${'00'.repeat(16)}${'00'}${'01'}${'80000000'}${'00'}`,
      '80000000',
      '00',
    ].join('');
    expect([...decodeMetadataResponse(Buffer.from(response, 'hex'))]).toEqual([
      ['ab', Buffer.from(id, 'hex').toString('base64url')],
    ]);
  });
});
