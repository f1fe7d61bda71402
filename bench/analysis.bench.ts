import { test } from 'vitest';
import { benchAnalysis } from './analysis';
import { onTestDevice } from './harness';

test('perplexity sweep, Taylor pass and survey', () => onTestDevice(benchAnalysis));
