import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchWidth } from './width';

test('width statistics', () => onTestDevice(benchWidth));
