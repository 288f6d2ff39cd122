/** Light, dark or as the system says. The choice is an attribute of the root element; tokens.css does the rest. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'ecqx-theme';

class Theme {
  choice = $state<ThemeChoice>(remembered());
  /** Goes up whenever colours on the page may have changed: canvases redraw on it. */
  version = $state(0);
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #forced = matchMedia('(forced-colors: active)');

  constructor() {
    this.#apply();
    this.#dark.addEventListener('change', () => this.#apply());
    this.#forced.addEventListener('change', () => this.#apply());
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Storage may be switched off; the choice then lasts as long as the page.
    }
    this.#apply();
  }

  #apply(): void {
    const dark = this.choice === 'dark' || (this.choice === 'system' && this.#dark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    this.version += 1;
  }
}

function remembered(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new Theme();
