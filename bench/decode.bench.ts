import { test } from 'vitest';
import { benchDecode } from './decode';
import { onTestDevice } from './harness';

test('one more token of a text', () => onTestDevice(benchDecode));
