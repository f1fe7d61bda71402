/** @file The time of one pass by kernel, as bars, the slowest first. */
import type { ProfileResult } from '../../lab/contract/types';
import { integer, milliseconds, percent, significant } from '../parts/format';
import { shownKernels } from './kernelData';

type ProfiledKernel = ProfileResult['kernels'][number];

export function ProfileBars({ title, profile }: { title: string; profile: ProfileResult }) {
  const kernels = shownKernels(profile.kernels);
  const longest = Math.max(...kernels.map(({ share }) => share));
  return (
    <div className="profile">
      <h4>{title}</h4>
      <p className="hint">
        {milliseconds(profile.milliseconds)} on {integer(profile.tokens)} tokens · timed by{' '}
        {profile.timing === 'timestamps' ? 'timestamp queries on the GPU' : 'wall clock, one submission per launch'}
      </p>
      <table className="bars">
        <thead>
          <tr>
            <th scope="col">kernel</th>
            <th scope="col">
              <span className="sr-only">time, as a bar</span>
            </th>
            <th scope="col">time</th>
            <th scope="col" className="wide">
              <span className="sr-only">milliseconds</span>
            </th>
            <th scope="col" title="Share of the counted floating-point operations: matmuls and attention">
              FLOPs
            </th>
          </tr>
        </thead>
        <tbody>
          {kernels.map((one) => (
            <tr key={one.kernel} title={detail(one)}>
              <th scope="row">{one.kernel}</th>
              <td className="bar-cell" aria-hidden="true">
                <i style={{ width: `${(100 * one.share) / longest}%` }} />
              </td>
              <td>{percent(one.share)}</td>
              <td className="soft wide">{milliseconds(one.milliseconds)}</td>
              <td className="soft">{one.flopShare === null ? '–' : percent(one.flopShare)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** '9 launches, 12.3 ms, 45.6 GFLOP/s'. */
function detail({ launches, milliseconds: time, flops }: ProfiledKernel): string {
  const rate = flops === null || time === 0 ? '' : `, ${significant(flops / time / 1e6)} GFLOP/s`;
  return `${integer(launches)} launches, ${milliseconds(time)}${rate}`;
}
