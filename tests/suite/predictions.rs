//! Questions that a lesson asks before the numbers appear.

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use modelens::lesson;
use modelens::state::{State, View};
use modelens::views::values::names;

use crate::support::window::{
    ORDINARY, Window, click, command, lesson_beside_its_model, press, settle, shows, sized, small,
};

/// Three steps on a small network, each with a question.
const LESSON: &str = r#"
lesson = 1
title = "Small"
model = "model.h5"
batch = 2

[[step]]
title = "One"
view = "batchnorm"
text = "The left column subtracts {used_mean}."
[step.predict]
text = "Which mean does it subtract?"
choices = [
    { text = "that of the batch", right = true, expect = ["uses_batch = 1"] },
    { text = "that of the file", expect = ["uses_batch = 0"] },
]
answer = "Because it is called with `training=True`."

[[step]]
title = "Two"
view = "trainable"
text = "Words of the second step."
[step.predict]
text = "And which weights move?"
choices = [{ text = "none" }, { text = "those of `Dense`", right = true }, { text = "all" }]
answer = "Because the optimizer moves them."

[[step]]
title = "Three"
view = "batchnorm"
text = "Words of the third step."
[step.predict]
text = "And under which rules?"
choices = [
    { text = "these", right = ["keras2", "keras3", "keras3.16"] },
    { text = "others", right = ["pytorch"] },
]
answer = "The rules decide."
"#;

fn state(window: &Window) -> &State {
    window.state().state()
}

fn step(window: &Window) -> usize {
    state(window).lesson.as_ref().expect("a lesson").step
}

#[test]
fn a_question_covers_the_numbers_until_it_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = sized(ORDINARY, small());
    command(&mut window, lesson_beside_its_model(folder.path(), LESSON));
    let answers = [
        "WHAT YOU SEE",
        "The left column subtracts",
        "Because it is called",
    ];
    assert!(shows(&window, "CHOOSE FIRST") && shows(&window, "Which mean does it subtract?"));
    for answer in answers {
        assert!(!shows(&window, answer), "{answer}");
    }
    // A figure of the view would show them too.
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    settle(&mut window);
    assert!(state(&window).export.choice.is_none());
    // The first press shows the answer, the second one moves on.
    press(&mut window, Key::PageDown);
    assert_eq!(step(&window), 0);
    for shown in answers
        .into_iter()
        .chain(["The right answer", "You made no choice"])
    {
        assert!(shows(&window, shown), "{shown}");
    }
    assert!(!shows(&window, "CHOOSE FIRST"));
    press(&mut window, Key::PageDown);
    assert_eq!(step(&window), 1);
    assert_eq!(state(&window).settings.view, View::Trainable);
    assert!(shows(&window, "CHOOSE FIRST") && !shows(&window, "Words of the second step."));
    // Down to the second choice, back to the first, and around to the last.
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowUp, Key::ArrowUp] {
        press(&mut window, key);
    }
    assert!(window.get_by_label("C. all").is_focused());
    press(&mut window, Key::Enter);
    assert!(shows(&window, "Your choice: not right") && shows(&window, "The right answer"));
    assert!(shows(&window, "Words of the second step."));
    // Answers stay while one moves back and forth.
    press(&mut window, Key::PageUp);
    assert!(step(&window) == 0 && shows(&window, "You made no choice"));
    press(&mut window, Key::PageDown);
    assert!(step(&window) == 1 && shows(&window, "Your choice: not right"));
    press(&mut window, Key::PageDown);
    click(&mut window, "A. these");
    assert!(shows(&window, "Your choice: right") && !shows(&window, "not right"));
}

#[test]
fn an_unclear_prediction_is_refused() {
    let head = "lesson = 1\ntitle = \"t\"\n[[step]]\ntitle = \"s\"\nview = \"dropout\"\n\
                [step.predict]\ntext = \"q\"\nanswer = \"a\"\n";
    let right = "{ text = \"r\", right = true }";
    let wrong = "{ text = \"w\" }";
    let of = |choices: &[&str]| format!("{head}choices = [{}]\n", choices.join(", "));
    let five = [right, wrong, wrong, wrong, wrong];
    let cases = [
        (of(&[right]), 6, "has 2 to 4 choices, not 1"),
        (of(&five), 6, "has 2 to 4 choices, not 5"),
        (of(&[wrong, wrong]), 6, "no choice is right under Keras 2"),
        (of(&[right, right]), 6, "2 choices are right under Keras 2"),
        (
            of(&[
                "{ text = \"r\", right = [\"keras2\", \"keras3\", \"keras3.16\"] }",
                wrong,
            ]),
            6,
            "no choice is right under PyTorch; mark one with `right = true`, or with `right = [\"pytorch\"]`",
        ),
        (
            of(&["{ text = \" \", right = true }", wrong]),
            6,
            "need a text",
        ),
        (
            of(&["{ text = \"r\", right = 1 }", wrong]),
            9,
            "`right` is true, or a list",
        ),
        (
            of(&["{ text = \"r\", correct = true }", wrong]),
            9,
            "unknown field `correct`",
        ),
        (
            of(&[
                "{ text = \"r\", right = true, expect = [\"unit > 0\"] }",
                wrong,
            ]),
            9,
            "no value `unit`",
        ),
        (
            of(&["{ text = \"{unit}\", right = true }", wrong]),
            9,
            "no value `unit`",
        ),
        (
            format!("{head}choices = [{right}, {wrong}]\nhint = \"h\"\n"),
            10,
            "hint",
        ),
    ];
    for (text, line, reason) in cases {
        let error = lesson::parse(&text, None, &names()).expect_err(&text);
        let said = error.to_string();
        assert!(said.contains(reason), "{said}: {text}");
        assert!(
            said.starts_with(&format!("line {line}: ")),
            "{said}: {text}"
        );
    }
}
