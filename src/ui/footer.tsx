/** @file The page's footer: what Secateur is, and the paper behind it. */
import { PrintedFoot } from './parts/printedFoot';
import { DropReport } from './report/dropReport';
import { OpenReport } from './report/openReport';

export function Footer() {
  return (
    <>
      <footer className="footer">
        <DropReport />
        <OpenReport />
        <p>
          <b>Secateur</b> prunes language models in this browser tab. Weights, texts and numbers stay here: nothing is
          uploaded.
        </p>
        <p>
          The method follows B.-K. Kim, G. Kim, T.-H. Kim, T. Castells, S. Choi, J. Shin and H.-K. Song,{' '}
          <cite>
            <a href="https://arxiv.org/abs/2402.02834" rel="noreferrer">
              Shortened LLaMA: Depth Pruning for Large Language Models with Comparison of Retraining Methods
            </a>
          </cite>
          , 2024. For scripting, use <code>window.lab</code> in the console.
        </p>
      </footer>
      <PrintedFoot about={['Secateur']} />
    </>
  );
}
