import { test } from 'vitest';
import { benchCompile } from './compile';
import { onTestDevice } from './harness';

test('compiling', () => onTestDevice(benchCompile));
