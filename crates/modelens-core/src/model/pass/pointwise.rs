//! Operators on single values that files put before a network to scale its photos. Here they need no tensor, which
//! would copy the whole batch twice.

use std::sync::Arc;

use candle_core::Result;

use super::batch_norm::applied;
use crate::model::array::Array;
use crate::model::layers::{Operator, Rescaling};
use modelens_kernels::elementwise::{affine, change, map_into};

/// `a <operator> b` where `b` is one number, taking `a` out of the inputs; `None` for other operators and inputs.
pub fn with_number(operator: Operator, inputs: &mut Vec<Arc<Array>>) -> Result<Option<Arc<Array>>> {
    let b = match inputs.as_slice() {
        [a, b] if b.values().len() == 1 && b.dims().len() <= a.dims().len() => b.values()[0],
        _ => return Ok(None),
    };
    let y = match operator {
        Operator::Add => mapped(inputs.swap_remove(0), |a| a + b),
        Operator::Subtract => mapped(inputs.swap_remove(0), |a| a - b),
        Operator::Multiply => mapped(inputs.swap_remove(0), |a| a * b),
        Operator::Divide => mapped(inputs.swap_remove(0), |a| a / b),
        Operator::Power | Operator::Maximum | Operator::Minimum => return Ok(None),
    };
    y.map(Some)
}

/// `f` of every value, in place if nothing else reads the values.
fn mapped(mut x: Arc<Array>, f: impl Fn(f32) -> f32 + Sync) -> Result<Arc<Array>> {
    if let Some(own) = Arc::get_mut(&mut x) {
        change(own.values_mut(), f);
        return Ok(x);
    }
    let mut y = Array::new(x.dims())?;
    map_into(x.values(), y.values_mut(), f);
    Ok(Arc::new(y))
}

/// What `rescaling` computes.
pub fn rescaled(rescaling: &Rescaling, x: Arc<Array>) -> Result<Arc<Array>> {
    let map = affine(&rescaling.scale, &rescaling.offset, x.channels())?;
    applied(x, &map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn a_number_gives_what_a_tensor_gives_and_a_shared_value_stays() {
        let a = Tensor::from_slice(&[-1.5_f32, 0.0, 3.0, 7.0], (2, 2), &Device::Cpu).unwrap();
        let b = Tensor::from_slice(&[127.5_f32], 1, &Device::Cpu).unwrap();
        for (operator, expected) in [
            (Operator::Add, a.broadcast_add(&b)),
            (Operator::Subtract, a.broadcast_sub(&b)),
            (Operator::Multiply, a.broadcast_mul(&b)),
            (Operator::Divide, a.broadcast_div(&b)),
        ] {
            let expected: Vec<f32> = expected.unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let array = |x: &Tensor| Arc::new(Array::of(x).unwrap());
            let shared = array(&a);
            let mut inputs = vec![Arc::clone(&shared), array(&b)];
            let y = with_number(operator, &mut inputs).unwrap();
            assert_eq!(y.expect("its path").values(), expected, "{operator:?}");
            assert_eq!(shared.values(), [-1.5, 0.0, 3.0, 7.0]);
            let y = with_number(operator, &mut vec![array(&a), array(&b)]).unwrap();
            assert_eq!(y.expect("its path").values(), expected, "{operator:?}");
            let two = vec![array(&a), array(&a)];
            assert!(with_number(operator, &mut two.clone()).unwrap().is_none());
        }
    }
}
