import type { Api, Campaign } from "../api";
export function Manage(_: { api: Api; campaign: Campaign }) { return null; }
