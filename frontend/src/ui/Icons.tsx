import type { ReactNode } from "react";

/** Line icons on a 24 grid; always beside a text or inside a labelled button. */
function Icon({ children }: { children: ReactNode }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor"
      strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const MenuIcon = () => <Icon><path d="M4 7h16M4 12h16M4 17h10" /></Icon>;
export const PlusIcon = () => <Icon><path d="M12 5v14M5 12h14" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="11" cy="11" r="6.5" /><path d="m16 16 4 4" /></Icon>;
export const SendIcon = () => <Icon><path d="M12 19V5M6 11l6-6 6 6" /></Icon>;
export const StopIcon = () => <Icon><rect x="7" y="7" width="10" height="10" rx="2" fill="currentColor" stroke="none" /></Icon>;
export const CloseIcon = () => <Icon><path d="m6 6 12 12M18 6 6 18" /></Icon>;
export const CopyIcon = () => <Icon><rect x="9" y="9" width="11" height="11" rx="2.5" /><path d="M5.5 15H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v.5" /></Icon>;
export const DownloadIcon = () => <Icon><path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14" /></Icon>;
export const CheckIcon = () => <Icon><path d="m5 12.5 4.5 4.5L19 7.5" /></Icon>;
export const RedoIcon = () => <Icon><path d="M20 12a8 8 0 1 1-2.5-5.8M20 3v4.5h-4.5" /></Icon>;
export const EditIcon = () => <Icon><path d="M14.5 5.5 18.5 9.5 8.5 19.5 4 20l.5-4.5z" /></Icon>;
export const MoreIcon = () => <Icon><path d="M5.500 12h.010M12 12h.010M18.500 12h.010" strokeWidth="3" /></Icon>;
export const PinIcon = () => <Icon><path d="M9 4h6M10 4v5.5L7 13v2h10v-2l-3-3.5V4M12 15v5.5" /></Icon>;
export const UnpinIcon = () => <Icon><path d="M9 4h6M10 4v1.5M14 4v5.500l3 3.500v2h-2M10 9.500 7 13v2h5v5.500M4 4l16 16" /></Icon>;
export const TrashIcon = () => <Icon><path d="M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7" /></Icon>;
export const ImageIcon = () => <Icon><rect x="3.5" y="5" width="17" height="14" rx="2.5" /><circle cx="9" cy="10" r="1.5" /><path d="m4 17 5-4 4 3 3-2.5 4 3" /></Icon>;
export const ClipIcon = () => <Icon><path d="m19.5 11.5-7.4 7.4a4.6 4.6 0 0 1-6.500-6.500l7.800-7.800a3.100 3.100 0 0 1 4.400 4.400l-7.600 7.600a1.500 1.500 0 0 1-2.200-2.200l6.900-6.900" /></Icon>;
export const FileIcon = () => <Icon><path d="M13.500 3.500H7A1.500 1.500 0 0 0 5.500 5v14A1.500 1.500 0 0 0 7 20.500h10a1.500 1.500 0 0 0 1.500-1.500V8.500zM13.500 3.500v5h5M9 13h6M9 16.500h4" /></Icon>;
export const MicIcon = () => <Icon><rect x="9" y="3.500" width="6" height="11" rx="3" /><path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3" /></Icon>;
export const SpeakerIcon = () => <Icon><path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4.500 4.500 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11" /></Icon>;
export const DiagramIcon = () => <Icon><rect x="4" y="4" width="7" height="5" rx="1.500" /><rect x="13" y="15" width="7" height="5" rx="1.500" /><path d="M7.500 9v8.500H13" /></Icon>;
export const TextIcon = () => <Icon><path d="M5 7h14M5 12h14M5 17h9" /></Icon>;
export const FolderIcon = () => <Icon><path d="M3.500 7a2 2 0 0 1 2-2h4l2 2.500h7a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z" /></Icon>;
export const BellIcon = () => <Icon><path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4" /></Icon>;
export const GearIcon = () => <Icon><path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" /></Icon>;
export const PlaneIcon = () => <Icon><path d="M20.5 4 3.5 11l6 2.5M20.5 4l-3 15.5-8-6M20.5 4l-11 9.5V19l3-3" /></Icon>;
export const DownIcon = () => <Icon><path d="M12 5v14M6 13l6 6 6-6" /></Icon>;
export const BackIcon = () => <Icon><path d="m14 6-6 6 6 6" /></Icon>;
export const NextIcon = () => <Icon><path d="m10 6 6 6-6 6" /></Icon>;
export const OutIcon = () => <Icon><path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9" /></Icon>;
export const EyeIcon = () => <Icon><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="2.75" /></Icon>;

/** The mark: a claw that holds a speech bubble's tail. */
export function Mark({ size = 28 }: { size?: number }): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false" className="mark">
      <path className="mark-body" d="M16 3C8.800 3 3 8.400 3 15c0 3.400 1.500 6.400 4 8.600L6 29l6-2.600c1.300.4 2.600.6 4 .6 7.200 0 13-5.400 13-12S23.200 3 16 3z" />
      <path className="mark-claw" d="M9.600 7.200C5.800 12.600 7.600 21 15.200 21.800c7.400.7 11-5.800 8-12.600-.6 3-2.200 5-4.500 5.800l-1.300-2.200-1.500 2.100c-3.200-.8-5.500-3.500-6.300-7.700z" />
    </svg>
  );
}
