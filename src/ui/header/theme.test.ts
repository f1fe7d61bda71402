import { expect, test } from 'vitest';
import { nextTheme, parseTheme } from './theme';

test('a stored word that is no theme means the system’s', () => {
  expect(parseTheme('dark')).toBe('dark');
  expect(parseTheme('light')).toBe('light');
  expect(parseTheme(null)).toBe('system');
  expect(parseTheme('sepia')).toBe('system');
});

test('three presses come back to the first theme', () => {
  expect(nextTheme('system')).toBe('light');
  expect(nextTheme(nextTheme(nextTheme('system')))).toBe('system');
});
