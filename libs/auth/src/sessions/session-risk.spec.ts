import { describe, expect, it } from '@jest/globals';
import { assessLogin, assessUse, deviceOf } from './session-risk.js';

const HOME = { address: '192.0.2.7', userAgent: 'Firefox' };
const NEXT_DOOR = { address: '192.0.2.200', userAgent: 'Firefox' };
const PHONE_AT_HOME = { address: '192.0.2.7', userAgent: 'Phone' };
const ABROAD = { address: '203.0.113.9', userAgent: 'curl' };
const UNKNOWN = {};
const HOME_V6 = { address: '2001:db8:1:2::9', userAgent: 'Firefox' };

describe('assessLogin', () => {
  it.each([
    ['a first session', HOME, [], 0, 'normal', []],
    ['a known place and device', HOME, [HOME], 0, 'normal', []],
    ['three sessions alike', HOME, [HOME, NEXT_DOOR, HOME], 0, 'trusted', []],
    ['another device at home', PHONE_AT_HOME, [HOME, HOME, HOME], 0, 'normal', ['new-device']],
    ['elsewhere with another device', ABROAD, [HOME], 0, 'high', ['new-network', 'new-device']],
    ['another network alone', HOME_V6, [HOME], 0, 'normal', ['new-network']],
    ['sessions of unknown origin before', HOME, [UNKNOWN, UNKNOWN], 0, 'normal', []],
    ['a stranger, and one of unknown origin', ABROAD, [UNKNOWN], 0, 'normal', []],
    ['an unknown origin', UNKNOWN, [HOME, HOME, HOME], 0, 'normal', []],
    ['nothing but unknown origins', UNKNOWN, [UNKNOWN, UNKNOWN, UNKNOWN], 0, 'normal', []],
    ['guessing before', HOME, [HOME, HOME, HOME], 3, 'normal', ['failed-log-ins']],
    [
      'guessing before, new device',
      PHONE_AT_HOME,
      [HOME],
      4,
      'high',
      ['new-device', 'failed-log-ins'],
    ],
  ] as const)('judges %s', (_, origin, earlier, failures, risk, anomalies) => {
    expect(assessLogin(origin, earlier, failures)).toEqual({ risk, anomalies });
  });
});

describe('deviceOf', () => {
  it('keeps a short text, and the beginning of a long one', () => {
    expect(deviceOf(undefined)).toBeUndefined();
    expect(deviceOf('Firefox')).toBe('Firefox');
    expect(deviceOf('é'.repeat(256))).toBe('é'.repeat(256));
    expect(deviceOf('é'.repeat(300))).toBe('é'.repeat(256));
  });
});

describe('assessUse', () => {
  const trusted = { risk: 'trusted', anomalies: [], origin: HOME } as const;

  it('finds nothing in a neighbouring address', () => {
    expect(assessUse(trusted, NEXT_DOOR)).toEqual({ risk: 'trusted', anomalies: [] });
  });

  it('takes trust away in another network, and more with another device', () => {
    expect(assessUse(trusted, { ...ABROAD, userAgent: 'Firefox' })).toEqual({
      risk: 'normal',
      anomalies: ['network-changed'],
    });
    expect(assessUse(trusted, ABROAD)).toEqual({
      risk: 'high',
      anomalies: ['network-changed', 'device-changed'],
    });
  });

  it('keeps what was found once', () => {
    const session = { risk: 'normal', anomalies: ['new-network'], origin: HOME } as const;
    expect(assessUse(session, HOME)).toEqual({ risk: 'normal', anomalies: ['new-network'] });
    expect(assessUse(session, PHONE_AT_HOME).risk).toBe('high');
  });

  it('holds nothing against a session whose beginning is not known', () => {
    const session = { risk: 'normal', anomalies: [], origin: {} } as const;
    expect(assessUse(session, ABROAD)).toEqual({ risk: 'normal', anomalies: [] });
  });
});
