import { test } from 'vitest';
import { Engine } from './engine';
import { openTestDevice } from './testing';
import { randomModel } from './testWeights';
import { Stream } from './stream';
const cpu=()=>{const u=process.cpuUsage();return (u.user+u.system)/1000};
test('profile', async () => {
  const context = await openTestDevice();
  const shape = { family:'llama', vocab:1500, hidden:128, layers:[...Array(12).keys()].map(source=>({source,heads:8,kvHeads:4,headDim:16,ffn:352})), normEps:1e-5, ropeTheta:10000, maxPositions:512, tiedHead:true };
  const model = randomModel(shape,'F16');
  const engine = await Engine.create(context, model);
  const windows = [...Array(10).keys()].map(w=>[...Array(128).keys()].map(i=>(i*7+w*31)%1500));
  let t=cpu();
  await engine.score(shape.layers.slice(0,1), windows);
  console.log('first', cpu()-t);
  for (let i=0;i<3;i++){ t=cpu(); await engine.score(shape.layers, windows); console.log('score', (cpu()-t).toFixed(0), 'tokens/s', (1280000/(cpu()-t)).toFixed(0)); }
  const acc: Record<string,[number,number,number]> = {};
  const orig = Stream.prototype.launch;
  (Stream.prototype as any).launch = async function(this: Stream, k: any, b: any, p: any, f: number){ await this.finish(); const t=cpu(); await (orig as any).call(this,k,b,p,f); await this.finish(); const a = acc[k.name] ??= [0,0,0]; a[0]+=cpu()-t; a[1]++; a[2]+=f; };
  await engine.score(shape.layers, windows);
  Stream.prototype.launch = orig;
  for (const [n,[ms,c,f]] of Object.entries(acc)) console.log(n.padEnd(36), ms.toFixed(1).padStart(8),'ms', c, (f/ms/1e6).toFixed(2),'GF/s');
  if (process.env['SWEEP']) { t=cpu(); await engine.removalSweep(windows, shape.layers.map((_,layer)=>({layer,part:'block' as const}))); console.log('sweep', cpu()-t); }
  engine.dispose();
}, 600000);
