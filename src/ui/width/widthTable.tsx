/** @file The scores of heads and neurons as a table, with device, tokens and time. */
import { headUnits, keptHeads, keptNeurons } from '../../lab/page/width';
import type { LayerShape } from '../../model/shape';
import type { PruningPlan } from '../../pruning/plan';
import { MeasuredLine } from '../corpora/measuredLine';
import { Disclosure } from '../parts/disclosure';
import { integer } from '../parts/format';
import type { WidthRanked } from './widthRanked';

interface Props {
  ranked: WidthRanked;
  layers: readonly LayerShape[];
  plan: PruningPlan;
}

/** Quantiles of a profile that the table shows, by their position in it. */
const quantiles = [
  { name: 'lowest', point: 0 },
  { name: '10%', point: 1 },
  { name: 'median', point: 5 },
  { name: '90%', point: 9 },
  { name: 'highest', point: 10 },
];

export function WidthTable({ ranked, layers, plan }: Props) {
  const { label, scores, heads, profiles, formatHead, formatNeuron } = ranked;
  return (
    <Disclosure summary={`${label}: heads and neurons as a table`}>
      <MeasuredLine {...scores} />
      <div className="table-scroll">
        <table className="table slim">
          <thead>
            <tr>
              <th scope="col">block</th>
              <th scope="col">heads that stay</th>
              <th scope="col">scores of its heads, groups in brackets</th>
              <th scope="col">neurons that stay</th>
              {quantiles.map(({ name }) => (
                <th scope="col" key={name}>
                  neurons, {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {layers.map((layer, block) => {
              const profile = profiles[block] ?? [];
              const of = (group: readonly number[]) => group.map((head) => formatHead(heads[block]![head]!)).join(' ');
              const groups = headUnits(layer).map((group) => (group.length > 1 ? `[${of(group)}]` : of(group)));
              return (
                <tr key={layer.source}>
                  <th scope="row">block {block}</th>
                  <td>
                    {keptHeads(plan, layer, block).length} of {layer.heads}
                  </td>
                  <td className="head-scores">{groups.join(' ')}</td>
                  <td>
                    {integer(keptNeurons(plan, layer, block))} of {integer(layer.ffn)}
                  </td>
                  {quantiles.map(({ name, point }) => (
                    <td key={name}>{profile[point] === undefined ? '–' : formatNeuron(profile[point])}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Disclosure>
  );
}
