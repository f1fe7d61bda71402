import { expect, test } from 'vitest';
import { LabError } from '../../errors';
import { Tokens } from './tokens';

const hub = 'https://huggingface.co';
const fail = (code: LabError['code']) => async () => {
  throw new LabError(code, 'refused', 'remedy');
};

async function sent(tokens: Tokens, to = hub, given?: string): Promise<string | undefined> {
  return tokens.serving(to, given, async (token) => token);
}

test('a token that opened something serves later calls of the same Hub, and of no other', async () => {
  const tokens = new Tokens();
  expect(await sent(tokens)).toBeUndefined();
  expect(await sent(tokens, hub, 'hf_a')).toBe('hf_a');
  expect(await sent(tokens)).toBe('hf_a');
  expect(await sent(tokens, 'http://127.0.0.1:1')).toBeUndefined();
});

test.each(['gated', 'network', 'bad-argument', 'missing-file'] as const)(
  'a token of a call that failed (%s) is not sent again, and leaves one that served',
  async (code) => {
    const tokens = new Tokens();
    await sent(tokens, hub, 'hf_good');
    await expect(tokens.serving(hub, 'hf_wrong', fail(code))).rejects.toMatchObject({ code });
    expect(await sent(tokens)).toBe('hf_good');
  },
);

test('a kept token that the Hub refuses goes; one that only met a broken connection stays', async () => {
  const tokens = new Tokens();
  await sent(tokens, hub, 'hf_a');
  await expect(tokens.serving(hub, undefined, fail('network'))).rejects.toMatchObject({ code: 'network' });
  expect(await sent(tokens)).toBe('hf_a');
  await expect(tokens.serving(hub, undefined, fail('gated'))).rejects.toMatchObject({ code: 'gated' });
  expect(await sent(tokens)).toBeUndefined();
});
