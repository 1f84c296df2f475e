// Colours. The four that matter are from Okabe and Ito's set, told apart with any kind of colour vision; each also
// has a shape or a word of its own, so that nothing is said by colour alone.

export type Theme = "dark" | "light";

export interface Palette {
  sea: string;
  land: string;
  border: string;
  coast: string;
  graticule: string;
  place: string;
  halo: string;
  track: string;
  ground: string;
  ship: string;
  text: string;
  actual: string;
  predicted: string;
  indeterminate: string;
  exempt: string;
  suspect: string;
  selected: string;
  coverage: string;
  zone: Record<string, string>;
}

const PALETTES: Record<Theme, Palette> = {
  dark: {
    sea: "#0c1722", land: "#1a2733", border: "#3a4c5c", coast: "#42576a", graticule: "#1d2c3a", place: "#7d91a3",
    halo: "#0c1722", track: "#d5e3ee", ground: "#9fb2c2", ship: "#8fc7e8", text: "#eef4f9",
    actual: "#ff6f3c", predicted: "#f5b301", indeterminate: "#d99ac2", exempt: "#2cc49a", suspect: "#f0e442",
    selected: "#ffffff", coverage: "#56b4e9",
    zone: {
      PROHIBITED: "#ff6f3c", NFZ: "#ff6f3c", NO_ENTRY_TERRITORY: "#ff6f3c", RESTRICTED: "#f0a030",
      DANGER: "#e8d44d", ADIZ: "#5aa9e6", SPECIAL_CAUTION: "#d99ac2", HUMANITARIAN: "#2cc49a",
      THIRD_PARTY_TERRITORY: "#8fc7e8", AIRSPACE: "#7d91a3",
    },
  },
  light: {
    sea: "#dfe8ee", land: "#f7f6f2", border: "#b3b9be", coast: "#93a1ac", graticule: "#cfdae2", place: "#5c6a75",
    halo: "#ffffff", track: "#1b3448", ground: "#5a6b78", ship: "#0b5c8c", text: "#14212b",
    actual: "#c43c00", predicted: "#a86a00", indeterminate: "#a03c7c", exempt: "#00755a", suspect: "#8a7a00",
    selected: "#000000", coverage: "#0072b2",
    zone: {
      PROHIBITED: "#c43c00", NFZ: "#c43c00", NO_ENTRY_TERRITORY: "#c43c00", RESTRICTED: "#b86e00",
      DANGER: "#8a7a00", ADIZ: "#0062a8", SPECIAL_CAUTION: "#a03c7c", HUMANITARIAN: "#00755a",
      THIRD_PARTY_TERRITORY: "#2a7fb0", AIRSPACE: "#6f7c87",
    },
  },
};

export function palette(theme: Theme): Palette {
  return PALETTES[theme];
}

export function preferredTheme(): Theme {
  return window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}
