import { expect, test } from 'vitest';
import { shortcutOf } from './shortcuts';

const press = (key: string, held: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {}) =>
  shortcutOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

test('undo and redo on every keyboard', () => {
  expect(press('z', { ctrlKey: true })).toBe('undo');
  expect(press('z', { metaKey: true })).toBe('undo');
  expect(press('Z', { ctrlKey: true, shiftKey: true })).toBe('redo');
  expect(press('Z', { metaKey: true, shiftKey: true })).toBe('redo');
  expect(press('y', { ctrlKey: true })).toBe('redo');
});

test('other keys are left alone', () => {
  expect(press('z')).toBeNull();
  expect(press('z', { ctrlKey: true, altKey: true })).toBeNull();
  expect(press('y', { metaKey: true })).toBeNull();
  expect(press('a', { ctrlKey: true })).toBeNull();
});
