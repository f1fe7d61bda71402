import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchWidth } from './width';

test('building a variant of fewer heads and neurons', () => onTestDevice(benchWidth));
