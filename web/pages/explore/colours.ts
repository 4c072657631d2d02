// Colours of classes: CORINE's own legend where the class is CORINE's, else an even walk around the wheel.

const CLC: Record<string, string> = {
  "111": "#e6004d", "112": "#ff0000", "121": "#cc4df2", "122": "#cc0000", "123": "#e6cccc", "124": "#e6cce6",
  "131": "#a600cc", "132": "#a64d00", "133": "#ff4dff", "141": "#ffa6ff", "142": "#ffe6ff", "211": "#ffffa8",
  "212": "#ffff00", "213": "#e6e600", "221": "#e68000", "222": "#f2a64d", "223": "#e6a600", "231": "#e6e64d",
  "241": "#ffe6a6", "242": "#ffe64d", "243": "#e6cc4d", "244": "#f2cca6", "311": "#80ff00", "312": "#00a600",
  "313": "#4dff00", "321": "#ccf24d", "322": "#a6ff80", "323": "#a6e64d", "324": "#a6f200", "331": "#e6e6e6",
  "332": "#cccccc", "333": "#ccffcc", "334": "#000000", "335": "#a6e6cc", "411": "#a6a6ff", "412": "#4d4dff",
  "421": "#ccccff", "422": "#e6e6ff", "423": "#a6a6e6", "511": "#00ccf2", "512": "#80f2e6", "521": "#00ffa6",
  "522": "#a6ffe6", "523": "#e6f2ff", "999": "#9aa5b1",
  "1": "#e6004d", "2": "#ffe64d", "3": "#4dbb00", "4": "#a6a6ff", "5": "#4db8e6",
  "11": "#ff0000", "12": "#cc4df2", "13": "#a600cc", "14": "#ffa6ff", "21": "#ffff66", "22": "#e68000",
  "23": "#e6e64d", "24": "#ffe6a6", "31": "#00a600", "32": "#a6f200", "33": "#cccccc", "41": "#4d4dff",
  "42": "#ccccff", "51": "#00ccf2", "52": "#a6ffe6",
};

const WHEEL = ["#3366cc", "#e0752d", "#2f9e63", "#c23b5a", "#8457c2", "#b08a1e", "#2a9fb8", "#d46aa8", "#6b8e23", "#7a5c48"];

export const NONE = "#9aa5b1";

export function wheel(place: number): string {
  return WHEEL[place % WHEEL.length] ?? NONE;
}

/** The colour that the server names for a class, else one by its place. */
export function classColour(column: string, place: number, stated?: string | null): string {
  if (stated) return stated;
  const match = /(?:^|_)clc_(\d+)$/.exec(column);
  return (match?.[1] && CLC[match[1]]) || wheel(place);
}

const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]] as const;

/** The colour of a share of the ramp that pictures have too, viridis. */
export function ramp(share: number): string {
  const at = Math.max(0, Math.min(1, share)) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  const mixed = RAMP[low]!.map((value, n) => Math.round(value + (RAMP[low + 1]![n]! - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

export const RAMP_STYLE = `linear-gradient(to right, ${RAMP.map((colour) => `rgb(${colour.join(",")})`).join(", ")})`;
