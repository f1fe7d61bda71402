/**
 * @file For tests in Node: a GPU through Dawn, a hardware adapter where there is one, else SwiftShader.
 *
 * Nothing that ships imports this file.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { type GpuContext, openDevice } from './device';

/** Where Debian's chromium keeps its Vulkan loader and its software driver. */
const loader = '/usr/lib/chromium/libvulkan.so.1';
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const keepLoaded = 0x1000; // RTLD_NODELETE

let gpu: Promise<GPU> | null = null;

/** Opens a device for a test. Fails with the command that installs an adapter where there is none. */
export async function openTestDevice(): Promise<GpuContext> {
  gpu ??= createGpu();
  return openDevice(await gpu);
}

async function createGpu(): Promise<GPU> {
  keepVulkanLoader();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const hardware = create([]);
  if ((await hardware.requestAdapter()) !== null) return hardware;
  process.env['VK_ICD_FILENAMES'] = softwareDriver;
  const software = create([]);
  if (existsSync(softwareDriver) && (await software.requestAdapter()) !== null) return software;
  throw new Error(
    `No GPU adapter: expected a hardware one, or SwiftShader at ${softwareDriver}. Install it with: apt-get install --yes chromium`,
  );
}

/**
 * Dawn opens libvulkan.so.1 by name. Where the system has none, Chromium's copy serves, if it is in the process
 * already: dlopen finds a loaded library by its name. Node takes it for an addon and complains, after loading it.
 */
function keepVulkanLoader(): void {
  if (process.platform !== 'linux' || !existsSync(loader)) return;
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch (thrown) {
    if (!String(thrown).includes('did not self-register')) throw thrown;
  }
}
