import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchWidthBuild } from './widthBuild';

test('building a variant of fewer heads and neurons', () => onTestDevice(benchWidthBuild));
