/** @file Heights of the charts in CSS pixels. Placeholder and chart must agree, or the layout shifts. */

export const chartHeights = {
  scores: 148,
  quality: 320,
  search: 220,
  variants: 360,
  speed: 380,
  training: 300,
  retraining: 400,
} as const;

/** Height of one bar with its name above it. */
export const barRoom = 46;
const axisRoom = 40;

export function latencyHeight(bars: number): number {
  return Math.max(chartHeights.quality, bars * barRoom + axisRoom);
}

export const tasksHeight = (bars: number): number => bars * barRoom + axisRoom;
