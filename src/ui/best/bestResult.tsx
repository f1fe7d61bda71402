/** @file The result of a search under a budget: predicted beside measured, and how it was found. */
import type { BestResult as Result } from '../../lab/contract/types';
import { Disclosure } from '../parts/disclosure';
import { bytes, integer, milliseconds, percent, perplexity, quantity, removedShare } from '../parts/format';
import { producedBy } from '../parts/names';
import { SoftwareBadge } from '../parts/softwareBadge';

interface Props {
  result: Result;
  onShow: () => void;
}

/** A table that fits its own measurements worse than this predicts no times: relative, root mean square. */
const poorFit = 0.15;

export function BestResult({ result, onShow }: Props) {
  const { variant, facts } = result;
  const { search, table, device, engine, calibration } = facts;
  return (
    <div className="best-result">
      <p>
        <b>{variant.name}</b>: {quantity(variant.parameters)} parameters ({removedShare(variant.ratio)}).{' '}
        {facts.met ? 'The measured numbers keep the budget.' : <b>The measured numbers do not keep the budget.</b>}{' '}
        <button type="button" className="button small" onClick={onShow}>
          Show it on the strip
        </button>
      </p>
      <NumbersTable result={result} />
      <p className="hint">
        Times: {producedBy(device)}. {device.software && <SoftwareBadge />} Predicted perplexity: what the variant loses
        on the calibration text, added to the base’s loss on the held-out text.
      </p>
      {table.residual > poorFit && (
        <p className="hint">
          <b>The predicted times are rough:</b> the latency table fits its measurements only within{' '}
          {percent(table.residual)}. Other work on this machine is the usual cause. Search again while it is quiet.
        </p>
      )}
      <p className="hint">
        The search measured {integer(search.evaluations)} variants on {integer(calibration.tokens)} calibration tokens (
        {producedBy(engine)}, {milliseconds(search.milliseconds)}, seed {search.seed}): perplexity{' '}
        {perplexity(search.basePerplexity)} of the base, {perplexity(search.greedyPerplexity)} of the best greedy
        choice, {perplexity(search.perplexity)} of the result.
      </p>
      <Disclosure summary="Latency table">
        <p className="hint">
          {table.reused ? 'Measured earlier in this session. ' : ''}The table fits these times within{' '}
          {percent(table.residual)} (root mean square); a time varies by up to {percent(table.spread)} from run to run.
          {table.inTurns
            ? ' The models ran in turns.'
            : ' The models ran one after the other: they do not fit into memory side by side.'}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
        <section className="table-scroll" tabIndex={0} aria-label="Latency table, scrolls sideways">
          <table className="table slim">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">measured</th>
                <th scope="col">fitted</th>
                <th scope="col">varies by</th>
              </tr>
            </thead>
            <tbody>
              {table.points.map(({ name, measured, fitted, spread }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{milliseconds(measured)}</td>
                  <td>{milliseconds(fitted)}</td>
                  <td>{percent(spread)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </Disclosure>
    </div>
  );
}

function NumbersTable({ result: { predicted, measured, facts } }: { result: Result }) {
  const { base, limits, contextTokens } = facts;
  const rows = [
    {
      name: 'Time per token',
      of: (numbers: typeof base) => milliseconds(numbers.msPerToken),
      most: limits.msPerToken && milliseconds(limits.msPerToken),
    },
    {
      name: `Cache of ${integer(contextTokens)} tokens`,
      of: (numbers: typeof base) => bytes(numbers.cacheBytes),
      most: limits.cacheBytes && bytes(limits.cacheBytes),
    },
    { name: 'Perplexity', of: (numbers: typeof base) => perplexity(numbers.perplexity), most: undefined },
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Best variant, predicted and measured, scrolls sideways">
      <table className="table slim">
        <thead>
          <tr>
            <th scope="col">
              <span className="sr-only">Quantity</span>
            </th>
            <th scope="col">original model</th>
            <th scope="col">budget</th>
            <th scope="col">predicted</th>
            <th scope="col">measured</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, of, most }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{of(base)}</td>
              <td>{most || '–'}</td>
              <td>{of(predicted)}</td>
              <td>
                <b>{of(measured)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
