/** @file The session refuses arguments that do not fit before it does anything with them. */
import { expect, test } from 'vitest';
import { guardMethods } from '../contract/arguments';

test('guarded methods begin only with arguments that fit, and all that are described are there', async () => {
  const { Session } = await import('./session');
  const session = new Session(async () => undefined);
  await expect(session.generate({}, 'base', 'x', { topK: 0.5 })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(session.generate({}, 'base', 'x', {})).rejects.toMatchObject({ code: 'not-loaded' });
  expect(() => guardMethods({})).toThrow('the session has no method');
});
