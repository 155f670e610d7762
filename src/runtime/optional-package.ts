/**
 * A package that only some users of this library need: an optional peer dependency.
 *
 * Where it is installed, it is loaded at once, with the module that needs it. In a bundle nothing is installed; there a dynamic
 * import, whose specifier stands written out for bundlers to see, brings it a moment later. Only when that has failed too is the
 * package missing.
 */

// Not by its name: bundles of ES modules get a `createRequire` of their own, and webpack rewrites calls of this one.
import * as nodeModule from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MissingDependencyError } from '../errors/index.ts';

export interface OptionalPackageOptions {
  readonly name: string;
  /** The entry of this library that needs it. */
  readonly neededFor: string;
  /** The versions that will do, as npm writes them. */
  readonly versions: string;
  /** Whether the installed version will do. Default: any. */
  readonly accepts?: ((version: string) => boolean) | undefined;
  /** `() => import('<name>')`. */
  readonly load: () => Promise<unknown>;
  /** Called once with what the package exports, as `require` gives it, as soon as that is there. */
  readonly onLoaded: (exports: unknown) => void;
}

export class OptionalPackage {
  readonly #options: OptionalPackageOptions;
  /** Makes the error anew for each call, so that each has a stack of its own. */
  #makeError: (() => MissingDependencyError) | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: OptionalPackageOptions) {
    this.#options = options;
    if (this.#loadInstalled()) return;
    this.#loading = options
      .load()
      .then(
        (module) => {
          if (module === undefined) this.#fail(notRunYet(options.name));
          else options.onLoaded(exportsOf(module));
        },
        (cause: unknown) => this.#fail(problemOf(options.name, cause), cause),
      )
      .finally(() => {
        this.#loading = undefined;
      });
  }

  /** Settles when it is known whether the package is there, and never rejects. Undefined if that is known. */
  get loading(): Promise<void> | undefined {
    return this.#loading;
  }

  /** Set if the package is missing, cannot be loaded, or is of a version that will not do. */
  get makeError(): (() => MissingDependencyError) | undefined {
    return this.#makeError;
  }

  /** @returns False if nothing is known yet. */
  #loadInstalled(): boolean {
    const { name, accepts, versions, onLoaded } = this.#options;
    let loaded: unknown;
    let load: NodeJS.Require | undefined;
    try {
      load = nodeModule.createRequire(import.meta.url);
      loaded = load(name);
      const version = accepts && versionOf(name, load);
      if (version !== undefined && !accepts!(version)) {
        this.#fail(`but ${version} is installed. Run: npm install "${name}@${versions}"`);
        return true;
      }
    } catch (cause) {
      // Whatever else it is, the import says.
      if (!isMissing(name, cause) || load === undefined || !isInstalledOurselves(load)) return false;
      this.#fail(notInstalled(name), cause);
      return true;
    }
    onLoaded(exportsOf(loaded));
    return true;
  }

  #fail(problem: string, cause?: unknown): void {
    const { name, neededFor, versions } = this.#options;
    this.#makeError = () => new MissingDependencyError(name, neededFor, versions, { problem, cause });
    // Said at once: the first call that fails for it may come much later.
    process.emitWarning(this.#makeError().message);
  }
}

function versionOf(name: string, load: NodeJS.Require): string | undefined {
  try {
    return load(`${name}/package.json`).version;
  } catch {
    return undefined; // It keeps that to itself.
  }
}

/** What CommonJS exports: in ES modules that is the default export, and some bundlers wrap it once more. */
function exportsOf(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module;
}

/** True if this very file is one of our installed package, and not of a bundle: what is not found from here is not there. */
function isInstalledOurselves(load: NodeJS.Require): boolean {
  try {
    return import.meta.url.startsWith(`${pathToFileURL(dirname(load.resolve('shardring/package.json'))).href}/`);
  } catch {
    return false;
  }
}

function isMissing(name: string, cause: unknown): boolean {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return code.endsWith('MODULE_NOT_FOUND') && message.includes(`'${name}'`);
}

const notInstalled = (name: string) => `which is not installed. Run: npm install ${name}`;

/** In a bundle of one file, what is imported dynamically comes after a top level that waits for it. */
const notRunYet = (name: string) =>
  `which this bundle brings only after your top level, where you wait for it. Begin your entry with: import '${name}'`;

function problemOf(name: string, cause: unknown): string {
  if (isMissing(name, cause)) return notInstalled(name);
  const isNotRunYet = cause instanceof ReferenceError && cause.message.includes('before initialization');
  return isNotRunYet ? notRunYet(name) : `which could not be loaded: ${(cause as Error).message}`;
}
