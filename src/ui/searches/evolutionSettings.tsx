/** @file Options of the evolutionary search: units and their number; the others can be unfolded. */

import { useState } from 'react';
import type { EvolutionEntry } from '../../importance/methods';
import {
  defaultCount,
  defaultFirstTokens,
  defaultGenerations,
  defaultOffspring,
  defaultSurvivors,
  mostUnits,
  unitPool,
} from '../../importance/search/evolutionDefaults';
import type { Barriers, SearchUnit } from '../../importance/types';
import { commands } from '../../lab/page/app';
import type { ModelShape } from '../../model/shape';
import type { EvolutionResult } from '../../report/searches';
import { Disclosure } from '../parts/disclosure';
import { NumberField } from '../parts/numberField';
import { Segmented } from '../parts/segmented';
import { useLab } from '../parts/useLab';
import { useProtected } from '../strip/useStrip';
import { BarrierFields } from './barrierFields';

const unitLabels: Readonly<Record<SearchUnit, string>> = {
  block: 'Blocks',
  attention: 'Attentions',
  mlp: 'MLPs',
  half: 'Either',
};

/** The user's choices. Absent ones have defaults that follow from the others. */
interface Choice {
  unit?: SearchUnit;
  count?: number;
  generations?: number;
  offspring?: number;
  survivors?: number;
  firstTokens?: number;
  seed?: number;
  barriers?: Barriers;
}

interface Props {
  item: EvolutionEntry;
  shape: ModelShape;
  result: EvolutionResult | null;
}

export function EvolutionSettings({ item, shape, result }: Props) {
  const [choice, setChoice] = useState<Choice>({});
  const choose = (change: Choice): void => setChoice((before) => ({ ...before, ...change }));
  const calibration = useLab((state) => state.calibration);
  const noGpu = useLab((state) => state.ready && state.device === null);
  const kept = useProtected();
  if (noGpu) return <span>needs WebGPU</span>;

  const { unit = result?.asked.unit ?? 'block', barriers = result?.barriers ?? item.barriers } = choice;
  const pool = unitPool(shape.layers, unit, barriers, kept).length;
  const most = mostUnits(shape.layers, unit, pool);
  const asked = result?.asked.unit === unit ? result.asked.count : undefined;
  const count = Math.min(choice.count ?? asked ?? defaultCount(pool, most), most);
  const generations = choice.generations ?? defaultGenerations(count, pool);
  const { offspring = defaultOffspring, seed = calibration?.seed ?? 0 } = choice;
  const survivors = Math.min(choice.survivors ?? defaultSurvivors(offspring), offspring);
  const tokens = calibration?.tokens ?? 1;
  const firstTokens = Math.min(choice.firstTokens ?? defaultFirstTokens(tokens), tokens);
  const start = (): void => {
    const stages = firstTokens < tokens ? { tokens: [firstTokens, tokens], survivors: [survivors, 1] } : {};
    void commands.runEvolution({ unit, count, generations, offspring, seed, ...stages, barriers });
  };
  return (
    <>
      <div className="evolution-ask">
        <button
          type="button"
          className="button small"
          aria-label={`Search with ${item.label}`}
          disabled={most < 1 || !calibration}
          onClick={start}
        >
          {result ? 'Search again' : 'Search'}
        </button>
        <NumberField
          label="units to remove"
          name={`${item.label}: units to remove`}
          value={count}
          least={1}
          most={Math.max(1, most)}
          onChange={(value) => choose({ count: value })}
        />
        <Segmented
          legend={`Units that ${item.label} removes`}
          options={item.units.map((value) => ({ value, label: unitLabels[value] }))}
          value={unit}
          onChange={(value) => choose({ unit: value })}
        />
        {most < 1 && <span>no unit may be removed</span>}
      </div>
      <Disclosure summary={`Settings of ${item.label}`}>
        <div className="evolution-settings">
          <NumberField
            label="generations"
            value={generations}
            least={0}
            most={10_000}
            onChange={(value) => choose({ generations: value })}
          />
          <NumberField
            label="offspring"
            value={offspring}
            least={1}
            most={1024}
            onChange={(value) => choose({ offspring: value })}
          />
          <NumberField
            label="survivors"
            name="survivors of the first stage"
            value={survivors}
            least={1}
            most={offspring}
            onChange={(value) => choose({ survivors: value })}
          />
          <NumberField
            label="stage-1 tokens"
            name="tokens of the first stage"
            value={firstTokens}
            least={1}
            most={tokens}
            onChange={(value) => choose({ firstTokens: value })}
          />
          <NumberField
            label="seed"
            value={seed}
            least={0}
            most={2 ** 32 - 1}
            onChange={(value) => choose({ seed: value })}
          />
          <BarrierFields
            label={item.label}
            layers={shape.layers.length}
            barriers={barriers}
            onBarriers={(value) => choose({ barriers: value })}
          />
        </div>
        <p className="hint">
          Each generation makes offspring of the current set by swapping one to three removed units for others. Stage 1
          compares all offspring with the original model on a few tokens. The survivors are compared on all tokens, and
          the best set becomes the next parent.
        </p>
      </Disclosure>
    </>
  );
}
