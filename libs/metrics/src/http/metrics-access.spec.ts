import { describe, expect, it } from '@jest/globals';
import { mayReadMetrics, type MetricsReader } from './metrics-access.js';

const TOKEN = 'correct horse battery';

function reader(values: Partial<MetricsReader> = {}): MetricsReader {
  return {
    authorization: undefined,
    remoteAddress: '127.0.0.1',
    clientAddress: '127.0.0.1',
    isForwarded: false,
    ...values,
  };
}

const elsewhere = reader({ remoteAddress: '10.1.2.3', clientAddress: '10.1.2.3' });

describe('access to the metrics', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('is open to %s', (address) => {
    const local = reader({ remoteAddress: address, clientAddress: address });
    expect(mayReadMetrics(local, { access: 'loopback' })).toBe(true);
  });

  it.each(['10.1.2.3', '::ffff:10.1.2.3', 'fe80::1', '::2', '128.0.0.1'])(
    'is closed to %s',
    (address) => {
      const remote = reader({ remoteAddress: address, clientAddress: address });
      expect(mayReadMetrics(remote, { access: 'loopback' })).toBe(false);
    },
  );

  it('is closed to a connection whose address is not known', () => {
    expect(mayReadMetrics(reader({ remoteAddress: undefined }), { access: 'loopback' })).toBe(
      false,
    );
  });

  it('does not take a proxy on this machine for its clients', () => {
    const untrusted = reader({ isForwarded: true });
    const trusted = reader({ isForwarded: true, clientAddress: '203.0.113.9' });
    expect(mayReadMetrics(untrusted, { access: 'loopback' })).toBe(false);
    expect(mayReadMetrics(trusted, { access: 'loopback' })).toBe(false);
  });

  it('is not opened by a remote client who says that it is local', () => {
    const liar = reader({ remoteAddress: '10.1.2.3', isForwarded: true });
    expect(mayReadMetrics(liar, { access: 'loopback' })).toBe(false);
  });

  it('is open to everybody, or to the token alone, when the settings say so', () => {
    expect(mayReadMetrics(elsewhere, { access: 'public' })).toBe(true);
    expect(mayReadMetrics(reader(), { access: 'token', token: TOKEN })).toBe(false);
    expect(mayReadMetrics(reader(), { access: 'token' })).toBe(false);
  });

  it.each(['loopback', 'token'] as const)('is opened by the token where it is %s', (access) => {
    const given = (authorization: string): boolean =>
      mayReadMetrics({ ...elsewhere, authorization }, { access, token: TOKEN });
    expect(given(`Bearer ${TOKEN}`)).toBe(true);
    expect(given(`bearer ${TOKEN}`)).toBe(true);
    for (const wrong of ['Bearer ', 'Bearer', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, '']) {
      expect(given(wrong)).toBe(false);
    }
  });

  it('is not opened by an empty token when none is set', () => {
    const given = { ...elsewhere, authorization: 'Bearer ' };
    expect(mayReadMetrics(given, { access: 'loopback' })).toBe(false);
  });
});
