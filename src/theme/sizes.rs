//! Lengths, in points.

/// Steps of spacing.
pub const S1: f32 = 4.0;
pub const S2: f32 = 8.0;
pub const S3: f32 = 12.0;
pub const S4: f32 = 16.0;

pub const TOP_BAR: f32 = 48.0;
/// The name of the program at the left of the bar.
pub const WORDMARK: f32 = 76.0;
pub const STATUS_BAR: f32 = 28.0;
pub const SIDE_PANEL: f32 = 300.0;
/// In a lower window the whole panel scrolls.
pub const SIDE_PANEL_LOW: f32 = 570.0;
pub const LAYER_ROW: f32 = 26.0;

pub const PANEL_RADIUS: u8 = 10;
pub const CONTROL_RADIUS: u8 = 6;
/// More than half of any control's height: both ends round.
pub const PILL_RADIUS: u8 = 14;
pub const CONTROL_HEIGHT: f32 = 28.0;
pub const TAB_HEIGHT: f32 = 32.0;
/// With less room, tabs have no numbers.
pub const TABS_WITH_NUMBERS: f32 = 840.0;
pub const HEADER_BAND: f32 = 36.0;
pub const LINE: f32 = 1.0;

/// Between the two columns.
pub const COLUMN_GAP: f32 = 14.0;
/// The least height of the columns; below it the centre scrolls.
pub const BODY_MIN: f32 = 300.0;
pub const CENTRE_MIN_WIDTH: f32 = 640.0;

pub const MARK: f32 = 11.0;
pub const LAMP: f32 = 8.0;
/// The mark of a module that computes the same in both modes.
pub const SMALL_LAMP: f32 = 5.0;
/// Where a click on a mark switches the mode.
pub const MODE_SWITCH: f32 = 18.0;
pub const HOLLOW_STROKE: f32 = 1.8;
pub const CHECKBOX: f32 = 14.0;
pub const CHECKBOX_RADIUS: u8 = 3;
pub const CHECK_STROKE: f32 = 1.8;
pub const TRIANGLE: f32 = 7.0;
pub const CHEVRON: f32 = 16.0;
pub const FOCUS_STROKE: f32 = 1.5;
/// From the edge of a row to the ring inside it.
pub const FOCUS_INSET: f32 = 2.0;

pub const THUMBNAIL_W: f32 = 104.0;
pub const THUMBNAIL_H: f32 = 84.0;
pub const IMAGE_RADIUS: u8 = 5;
/// Width of the label column of the input card.
pub const INPUT_LABEL: f32 = 38.0;
pub const INPUT_ROW: f32 = 21.0;
/// Room of the label before a call.
pub const CALL_LABEL: f32 = 62.0;
pub const INDENT: f32 = 14.0;
/// From the right end of a layer row to its lamp.
pub const LAMP_COLUMN: f32 = 66.0;
/// The same where layers with a million parameters have a mark too.
pub const MODE_COLUMN: f32 = 80.0;

pub const CAPTION: f32 = 18.0;
pub const CELL_GAP: f32 = 10.0;
/// What a caption of two draws takes; with a photo's name more; below the least there is none.
pub const CAPTION_WIDTH: f32 = 100.0;
pub const CAPTION_WIDTH_NAMED: f32 = 150.0;
pub const CAPTION_WIDTH_MIN: f32 = 66.0;
/// Augmentation cells grow no larger than this.
pub const CELL_MAX: f32 = 260.0;
pub const CELL_RING: f32 = 2.5;

/// The list of steps of the pipeline.
pub const PIPELINE_CARD: f32 = 296.0;
/// Beside a cell that is shown large.
pub const DETAILS: f32 = 264.0;
pub const FIELD_LABEL: f32 = 84.0;
pub const SLIDER: f32 = 84.0;

/// Smallest distance between units of the dropout grid.
pub const UNIT_MIN: f32 = 7.0;
/// Largest distance between units of the dropout grid.
pub const UNIT_MAX: f32 = 36.0;
/// Units grow in a room that fits more than this many of the largest side by side.
pub const UNIT_COLUMNS: f32 = 20.0;
pub const UNIT_GAP: f32 = 2.0;

/// The arms of the cross in the place of a dropped unit, as a share of the unit, and at most.
pub const UNIT_CROSS_SHARE: f32 = 0.28;
pub const UNIT_CROSS_MOST: f32 = 3.0;

/// The columns of the dropout view, and the row of its many passes below them.
pub const DROPOUT_COLUMNS_MIN: f32 = 190.0;
pub const PASSES_ROW_MIN: f32 = 186.0;
/// Share of the height that row takes, and how high it grows.
pub const PASSES_ROW_SHARE: f32 = 0.4;
pub const PASSES_ROW_MAX: f32 = 320.0;
/// A line of the list of units.
pub const UNIT_ROW: f32 = 19.0;
/// Share of the list's width that the units' numbers take.
pub const UNIT_COLUMN_SHARE: f32 = 0.19;
/// A narrower row of passes has no list of units.
pub const PASSES_LIST: f32 = 740.0;
/// Narrower parts of the row of passes get a shorter title, and smaller heads of columns.
pub const PASSES_NARROW: f32 = 260.0;
pub const RATE_SLIDER: f32 = 120.0;
/// A small mark before a heading.
pub const SMALL_MARK: f32 = 8.0;

pub const KEY_ROW: f32 = 30.0;
pub const STAT_ROW: f32 = 22.0;
pub const STAT_COLUMN: f32 = 132.0;
/// Narrower rows of key numbers get shorter labels.
pub const STAT_NARROW: f32 = 440.0;
/// The height of a narrow augmentation column by its width: three rows of cells and their captions.
pub const CELLS_TALL: f32 = 1.16;
/// The height of each narrow dropout column, and of each part below them.
pub const DROPOUT_NARROW: f32 = 224.0;
pub const PASSES_TALL: f32 = 176.0;
/// The height of each of the two rows below narrow BatchNorm columns.
pub const BELOW_TALL: f32 = 190.0;
/// The plots of a short run card.
pub const RUN_SHORT: f32 = 66.0;
/// A run card in a figure is as wide as this or fills its row.
pub const RUN_SHORT_WIDTH: f32 = 320.0;
/// A row of a low table of releases.
pub const LOW_ROW: f32 = 16.0;
/// With less room beside the key numbers the label is omitted; the heading says it too.
pub const STAT_LABEL: f32 = 108.0;
/// All BatchNorm layers at a glance.
pub const STRIP: f32 = 60.0;
/// Share of a bar's place that stays free on each side of it.
pub const BAR_GAP: f32 = 0.15;
/// The least height of the row of scatter plots and walk.
pub const SCATTER_ROW_MIN: f32 = 166.0;
/// Share of the row that both scatter plots take, at most.
pub const SCATTER_SHARE: f32 = 0.42;
/// Width of a scatter plot by its height, at most.
pub const SCATTER_ASPECT: f32 = 1.35;
/// Share of the height below the strip that the two columns of the BatchNorm view take.
pub const BATCH_NORM_COLUMNS_SHARE: f32 = 0.56;
pub const BATCH_NORM_COLUMNS_MIN: f32 = 246.0;
/// Share of a column that a feature map takes, at most, and the room of its scale.
pub const MAP_SHARE: f32 = 0.42;
pub const MAP_SCALE: f32 = 48.0;
/// With less room, the sliders have no title.
pub const SLIDERS_WITH_TITLE: f32 = 540.0;
/// With less room for both sliders and their values, the batch slider is omitted.
pub const BATCH_SLIDER: f32 = 230.0;
/// Width of an axis label with its gap.
pub const TICK_ROOM: f32 = 28.0;
/// Least width of the labels beside the plots of a walk, and the radius of its dots.
pub const WALK_AXIS: f32 = 44.0;
pub const WALK_DOT: f32 = 2.6;
pub const POINT: f32 = 2.2;
pub const RING: f32 = 7.0;
/// How far from a point a click still chooses it.
pub const POINT_REACH: f32 = 14.0;
pub const DASH: f32 = 5.0;
pub const AXIS_LABEL: f32 = 18.0;

/// The mechanism of BatchNorm: its switch, the photos, the labels of its lanes and their values.
pub const WATCH_SWITCH: f32 = 216.0;
pub const MECHANISM_PHOTOS: f32 = 120.0;
/// From this height on a figure shows the walk below the mechanism, and the share of the latter.
pub const MECHANISM_AND_WALK: f32 = 260.0;
pub const MECHANISM_SHARE: f32 = 0.5;
pub const LANE_LABEL: f32 = 116.0;
pub const LANE_VALUE: f32 = 150.0;
/// From the stored mean up to the batch means.
pub const MECHANISM_RISE: f32 = 16.0;
/// With less room the momentum gets a row of its own.
pub const MECHANISM_MOMENTUM: f32 = 340.0;

/// A line of the comparison of norms, and the plot below it.
pub const NORM_ROW: f32 = 38.0;
pub const NORMS_PLOT: f32 = 260.0;
pub const NORMS_PLOT_MIN: f32 = 190.0;

/// The cards of the trainable view: the column of the flag at their left, their lines, their words.
pub const FLAG_COLUMN: f32 = 26.0;
pub const CARD_ROW: f32 = 19.0;
pub const CARD_TITLE: f32 = 24.0;
pub const CARD_WORDS: f32 = 34.0;
/// Cards with less room inside get shorter labels.
pub const CARD_NARROW: f32 = 380.0;
/// Around the card of the course's advice.
pub const ADVICE_STROKE: f32 = 2.0;
/// Cards of low windows: their lines of numbers and of words.
pub const LOW_HEADER: f32 = 26.0;
pub const CARD_NUMBERS: f32 = 18.0;
/// Rows of the table that a window must show below cards and picture; if it can't, the cards are low.
pub const TABLE_LEAST_ROWS: usize = 4;
/// The picture of the network: its title, its blocks, and a row of lamps below them.
pub const DIAGRAM_TITLE: f32 = 22.0;
pub const BLOCK: f32 = 36.0;
pub const LAMP_ROW: f32 = 15.0;
/// The words before a row of lamps.
pub const LAMP_LABEL: f32 = 100.0;
pub const PADLOCK: f32 = 12.0;
/// The arrows at the top of the freeze boundary.
pub const KNOB: f32 = 8.0;
pub const KNOB_ROW: f32 = 10.0;
/// How near the beginning of a block the boundary snaps to it.
pub const BLOCK_SNAP: f32 = 5.0;
/// Columns of the layer table, after that of the names, and the share they get of wider ones.
pub const TABLE_COLUMNS: [f32; 6] = [70.0, 104.0, 62.0, 124.0, 130.0, 74.0];
pub const TABLE_NAMES: f32 = 300.0;
pub const TABLE_SHARE: f32 = 0.7;
/// Kept free for the scroll bar beside cards and table.
pub const SCROLL_BAR: f32 = 10.0;

/// The predict view: names, bars, numbers; rows of classes, and strips of dots below them.
pub const PREDICT_NAMES_SHARE: f32 = 0.34;
pub const PREDICT_NAMES_MIN: f32 = 108.0;
pub const PREDICT_NAMES_MAX: f32 = 230.0;
pub const PREDICT_VALUES: f32 = 96.0;
pub const PREDICT_ROW_MIN: f32 = 17.0;
pub const PREDICT_ROW_MAX: f32 = 48.0;
pub const PREDICT_BAR_SHARE: f32 = 0.62;
pub const PREDICT_BAR_MAX: f32 = 20.0;
pub const STRIP_ROW: f32 = 38.0;
pub const STRIP_ROW_MAX: f32 = 80.0;
pub const DOT: f32 = 9.0;
/// Curves and bars of a run.
pub const RUN_CURVE: f32 = 88.0;
/// The most height that a curve gains if there is room.
pub const RUN_CURVE_GROWS: f32 = 240.0;
pub const RUN_STRIP: f32 = 72.0;
/// Cards of runs narrower than this go into two rows.
pub const RUN_LEAST: f32 = 210.0;
/// A curve of this width has room for a longer caption.
pub const RUN_CAPTION: f32 = 160.0;

/// The line of a section title.
pub const TITLE_ROW: f32 = 24.0;
pub const EXPLAIN_MIN: f32 = 128.0;
/// Longer sentences and code scroll.
pub const EXPLAIN_MAX: f32 = 204.0;
/// Share of the bottom card that belongs to the code.
pub const CODE_SHARE: f32 = 0.44;
pub const CODE_LINE: f32 = 17.0;
pub const PROSE_LINE: f32 = 19.0;

/// Narrower views give their controls two rows.
pub const BATCH_NORM_CONTROLS: f32 = 930.0;
pub const FINE_TUNE_CONTROLS: f32 = 1180.0;
/// Narrower than this, the Fine-tune view's controls have three rows.
pub const FINE_TUNE_TWO_ROWS: f32 = 800.0;
/// What a note beside the choice of `base.eval()` takes with the buttons that follow.
pub const EVAL_NOTE: f32 = 720.0;
/// Kept free for the button at the right end of the controls.
pub const REDRAW_WIDTH: f32 = 116.0;
/// The buttons of an animation: all of them, the first two, the first alone.
pub const PLAYER: [f32; 3] = [176.0, 108.0, 58.0];
pub const PICKER_WIDTH: f32 = 260.0;
pub const PICKER_HEIGHT: f32 = 320.0;
pub const MENU_WIDTH: f32 = 320.0;
pub const SMALL_MENU_WIDTH: f32 = 120.0;
pub const NOTICE_WIDTH: f32 = 380.0;

/// A figure, unless another size is asked for, and the height of what its view draws.
pub const FIGURE_WIDTH: f32 = 980.0;
pub const FIGURE_BODY: f32 = 540.0;
pub const FIGURE_BODY_LOW: f32 = 440.0;
/// The least width of a figure whose columns are side by side: narrower, one is above the other.
pub const FIGURE_LEAST: f32 = 704.0;
/// The least width of what a view draws: below it columns cut off their words.
pub const FIGURE_NARROW: f32 = 360.0;
/// Around a figure for print, where the page has a margin.
pub const PRINT_MARGIN: f32 = 2.0;

/// The export dialog: its choices, and the room of its preview, whose picture is twice as wide.
pub const EXPORT_CHOICES: f32 = 190.0;
/// Title, margins and a little of the window around the export dialog.
pub const EXPORT_FRAME: f32 = 120.0;
pub const PREVIEW: [f32; 2] = [760.0, 560.0];
pub const PREVIEW_PIXELS: u32 = 1520;

/// A page of a handout: A4, its margin, and the share of its height that a figure takes at most.
pub const PAPER: [f32; 2] = [595.0, 842.0];
pub const PAPER_MARGIN: f32 = 44.0;
pub const PAPER_FIGURE: f32 = 0.8;

/// How long a result may be out of date before it is dimmed: shorter waits would only flicker.
pub const STALE_AFTER_SECS: f64 = 0.25;
pub const STALE_OPACITY: f32 = 0.55;

/// The window at its first start.
pub const WINDOW: [f32; 2] = [1280.0, 800.0];
/// Below this the columns have no room.
pub const SMALLEST_WINDOW: [f32; 2] = [800.0, 600.0];
/// What the bars of a desktop and the frame of the window may take of a monitor.
pub const AROUND_WINDOW: [f32; 2] = [8.0, 64.0];
/// The least size of a lecture, in points; a larger screen gets larger type.
pub const LECTURE: [f32; 2] = [1050.0, 590.0];
/// What a lecture shows above the columns: the photo, what is shown, the statement.
pub const LECTURE_CAPTION: f32 = 92.0;
pub const LECTURE_PHOTO: f32 = 112.0;
/// The most rows of a statement in the largest type that holds it.
pub const STATEMENT_ROWS: usize = 2;
/// Around the pointer in a lecture.
pub const POINTER_RING: f32 = 18.0;

pub const LESSON_PANEL: f32 = 320.0;
/// Height of the lesson below the columns, if there is no room beside them.
pub const LESSON_BOTTOM: f32 = 210.0;
/// The lesson is beside the columns only if they keep this width.
pub const LESSON_BESIDE: f32 = 960.0;
/// The rows of a recorded lesson that are seen at once, and of the text of a step.
pub const RECORD_ROWS: f32 = 150.0;
pub const RECORD_TEXT_ROWS: usize = 5;
pub const BULLET: f32 = 14.0;
/// The most width of a question before the numbers, and the share of its card that stays free above.
pub const QUESTION: f32 = 720.0;
pub const QUESTION_TOP: f32 = 0.08;
/// The arms of a cross, as a share of half a mark.
pub const CROSS_SHARE: f32 = 0.75;

pub const COMMAND_PALETTE: f32 = 560.0;
pub const COMMAND_PALETTE_ROWS: f32 = 392.0;
/// From the top of the window.
pub const COMMAND_PALETTE_TOP: f32 = 72.0;
pub const SHEET_WIDTH: f32 = 460.0;
pub const SHEET_KEYS: f32 = 160.0;

/// The view Start: a large switch and its card, a lamp and its card, the card of a lesson.
pub const SWITCH: f32 = 36.0;
pub const SWITCH_CARD: f32 = 96.0;
/// Share of its row that is the code beside it.
pub const SWITCH_SHARE: f32 = 0.52;
/// In a narrower card the code is above the switch.
pub const SWITCH_NARROW: f32 = 370.0;
/// A narrower row shows the releases without their question.
pub const START_QUESTION: f32 = 740.0;
pub const LARGE_LAMP: f32 = 20.0;
pub const LAMP_CARD: f32 = 98.0;
pub const LESSON_CARD: f32 = 142.0;
pub const LESSON_CARD_MAX: f32 = 440.0;
/// Cards of lessons that would be narrower than this take two rows.
pub const LESSON_CARD_WIDTH: f32 = 130.0;
/// From this height on, the card of a lesson says what it is about.
pub const LESSON_CARD_TALL: f32 = 260.0;
pub const LESSON_WORDS_TALL: f32 = 150.0;
/// What a card keeps for title and minutes below its picture.
pub const LESSON_WORDS: f32 = 80.0;
/// The most height of a picture by its width.
pub const PICTURE_HEIGHT: f32 = 0.8;
/// Between the parts of a picture, and at their corners.
pub const PICTURE_GAP: f32 = 1.0;
pub const PICTURE_RADIUS: u8 = 3;
