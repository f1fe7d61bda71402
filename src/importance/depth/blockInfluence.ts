/** @file Block influence: 1 − mean over tokens of cos(h_l, h_{l+1}). */
import type { CriterionRecord } from '../criterion';

export const blockInfluence: CriterionRecord = {
  id: 'block-influence',
  label: 'Block influence',
  paper: 'Men et al. 2024, ShortGPT',
  needs: 'gpu',
  units: ['block'],
  async score({ probe, windows, signal, onProgress }) {
    return (await probe!.blockStatistics(windows, { signal, onProgress })).influence;
  },
  fromSurvey: ({ statistics }) => statistics.influence,
};
