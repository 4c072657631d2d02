import type { Api, Campaign } from "../api";
export function Review(_: { api: Api; campaign: Campaign }) { return null; }
