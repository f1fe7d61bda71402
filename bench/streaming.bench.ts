import { test } from 'vitest';
import { onTestDevice } from './harness';
import { benchStreaming } from './streaming';

test('blocks that stream', () => onTestDevice(benchStreaming));
