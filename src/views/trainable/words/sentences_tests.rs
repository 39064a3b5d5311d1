use super::*;

/// Cards as they are measured, from what moves in the base: `(weights, statistics)` by card.
fn outcome(moves: [(bool, bool); 4]) -> TrainableOutcome {
    let card = |i: usize| {
        let (weights, statistics) = moves[i];
        let mode = Mode::BOTH[i % 2];
        TrainableCard {
            trainable: i < 2,
            mode,
            reaches_base: mode.training(),
            base: CardPart {
                learns: if weights { 2_223_872 } else { 0 },
                weight_change: if weights { 0.0031 } else { 0.0 },
                batch_norms: 52,
                on_batch: if statistics { 52 } else { 0 },
                statistics_moved: if statistics { 52 } else { 0 },
                statistics_change: if statistics { 0.25 } else { 0.0 },
            },
            head: CardPart {
                learns: 24_339,
                weight_change: 0.01,
                ..CardPart::default()
            },
            noises_active: usize::from(mode.training()),
            output_difference: 0.0,
            loss: 3.0,
        }
    };
    TrainableOutcome {
        photos: 16,
        semantics: Semantics::Keras3,
        rate: 0.01,
        recorded: None,
        has_head: true,
        noises: 1,
        cards: [0, 1, 2, 3].map(card),
    }
}

const KERAS: [(bool, bool); 4] = [(true, true), (true, false), (false, false), (false, false)];
const TORCH: [(bool, bool); 4] = [(true, true), (true, false), (false, true), (false, false)];

fn bound(mut outcome: TrainableOutcome) -> TrainableOutcome {
    outcome.recorded = Some(false);
    for card in &mut outcome.cards {
        card.reaches_base = false;
    }
    outcome
}

fn titles(outcome: &TrainableOutcome) -> [&'static str; 4] {
    [0, 1, 2, 3].map(|i| title(&outcome.cards[i], outcome))
}

#[test]
fn titles_follow_the_numbers_and_not_the_place() {
    let keras = outcome(KERAS);
    assert_eq!(
        titles(&keras),
        [
            "Everything moves",
            "Weights move, statistics stay",
            "Nothing in the base moves",
            "Feature extraction: what the course does",
        ]
    );
    assert_eq!(titles(&outcome(TORCH))[2], "Weights stay, statistics move");
    // Numbers against the place: the first card still, the course's own moving.
    let odd = outcome([(false, false), (true, true), (true, true), (true, true)]);
    assert_eq!(titles(&odd)[0], "Nothing in the base moves");
    assert_eq!(titles(&odd)[3], "Everything moves");
}

#[test]
fn each_framework_gets_its_own_answer() {
    let keras3 = why_both(&outcome(KERAS), Semantics::Keras3);
    assert!(
        keras3.contains("trainable=False protects the weights"),
        "{keras3}"
    );
    assert!(
        keras3.contains("unfrozen, those of 52 layers do"),
        "{keras3}"
    );
    assert!(keras3.contains("only trainable=False protects"), "{keras3}");
    let keras2 = why_both(&outcome(KERAS), Semantics::Keras2);
    assert!(keras2.contains("binds inside fit"), "{keras2}");
    let still = [(true, false), (true, false), (false, false), (false, false)];
    let recorded = why_both(&bound(outcome(still)), Semantics::Keras2);
    assert!(
        recorded.contains("training=False is recorded"),
        "{recorded}"
    );
    assert!(!recorded.contains("52"), "{recorded}");
    let torch = why_both(&outcome(TORCH), Semantics::PyTorch);
    assert!(torch.contains("does not protect the statistics"), "{torch}");
    assert!(torch.contains("Only model.eval() protects"), "{torch}");
}

/// Every pattern of what moves, in every framework: no sentence says what the numbers deny.
#[test]
fn no_sentence_contradicts_its_numbers() {
    for pattern in 0..256_u32 {
        let bit = |i: u32| pattern >> i & 1 == 1;
        let moves = [0, 2, 4, 6].map(|i| (bit(i), bit(i + 1)));
        for semantics in Semantics::ALL {
            for outcome in [outcome(moves), bound(outcome(moves))] {
                let text = why_both(&outcome, semantics);
                let what = format!("{moves:?} {semantics:?}: {text}");
                let frozen_moves = moves[2].0 || moves[3].0;
                assert!(
                    !frozen_moves || !text.contains("protects the weights"),
                    "{what}"
                );
                let keeps = "also keeps its statistics";
                assert!(!moves[2].1 || !text.contains(keeps), "{what}");
                assert!(moves[2].1 || !text.contains("does not protect"), "{what}");
                let inference_moves = moves[1].1 || moves[3].1;
                for claim in [
                    "protects the statistics",
                    "keeps them",
                    "its statistics stay",
                ] {
                    let contradicted = match claim {
                        "its statistics stay" => moves[0].1 || moves[2].1,
                        _ => inference_moves,
                    };
                    assert!(!contradicted || !text.contains(claim), "{what}");
                }
                let only = "inside fit only trainable=False protects";
                assert!(!moves[2].1 || !text.contains(only), "{what}");
                for (card, &(weights, statistics)) in outcome.cards.iter().zip(&moves) {
                    let text = sentence(card, &outcome, semantics);
                    let what = format!("{moves:?} {semantics:?}: {text}");
                    assert!(!text.is_empty(), "{what}");
                    assert!(!weights || !text.contains("keeps the weights"), "{what}");
                    assert!(!weights || !text.contains("Only the head learns"), "{what}");
                    assert!(
                        !statistics || !text.contains("keeps the statistics"),
                        "{what}"
                    );
                    assert!(!statistics || !text.contains("uses its stored"), "{what}");
                    let nothing = title(card, &outcome).starts_with("Nothing");
                    assert!(!nothing || !(weights || statistics), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_base_without_batch_norm_has_no_statistics_to_speak_of() {
    let mut plain = outcome([(true, false), (true, false), (false, false), (false, false)]);
    for card in &mut plain.cards {
        card.base.batch_norms = 0;
    }
    for semantics in Semantics::ALL {
        let text = why_both(&plain, semantics);
        assert!(text.contains("no BatchNorm"), "{text}");
        assert!(!text.contains("protects the statistics"), "{text}");
    }
    assert_eq!(titles(&plain)[0], "The weights move");
    assert_eq!(rows(&plain.cards[0], &plain, false)[2].1, "no BatchNorm");
}

#[test]
fn a_weight_that_broke_is_not_called_unchanged() {
    let mut broken = outcome(KERAS);
    broken.cards[2].base.weight_change = f32::NAN;
    assert_eq!(titles(&broken)[2], "Weights move, statistics stay");
    let text = why_both(&broken, Semantics::Keras3);
    assert!(text.starts_with("**Even with trainable=False"), "{text}");
}

#[test]
fn the_heading_says_which_value_arrives() {
    let bound = bound(outcome(KERAS));
    let training =
        |outcome: &TrainableOutcome, semantics| reaches(outcome, Mode::Training, semantics);
    assert!(training(&bound, Semantics::Keras2).contains("the recorded training=False"));
    let mut recorded = outcome(KERAS);
    recorded.recorded = Some(false);
    assert!(training(&recorded, Semantics::Keras3).contains("overrides"));
    assert_eq!(training(&recorded, Semantics::PyTorch), "");
}

#[test]
fn in_pytorch_eval_keeps_the_statistics_and_nothing_is_recorded() {
    let kept = bound(outcome([
        (true, false),
        (true, false),
        (false, false),
        (false, false),
    ]));
    let torch = Semantics::PyTorch;
    let said = [0, 2].map(|i| sentence(&kept.cards[i], &kept, torch));
    let all = format!("{} {}", said.join(" "), why_both(&kept, torch));
    assert_eq!(
        all.matches("eval() after model.train() keeps").count(),
        3,
        "{all}"
    );
    assert!(
        !all.contains("recorded") && !all.contains("frozen BatchNorm"),
        "{all}"
    );
    assert_eq!(
        reaches(&kept, Mode::Training, torch),
        "the base is in eval()"
    );
    assert_eq!(reaches(&kept, Mode::Inference, torch), "");
}
