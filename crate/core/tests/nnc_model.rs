//! Quantized models through the compressed format: they come back whole, in few bytes.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may panic

use std::path::PathBuf;

use ecqx_core::CoreError;
use ecqx_core::codec::{
    CodecError, EncodeSettings, Generation, decode, decode_file, encode_file, encode_integers, encode_raw, join_units,
};
use ecqx_core::model::{Architecture, Model, QuantizedTensor};
use ecqx_core::quant::{Method, NetQuantizer, QuantizeSettings, QuantizedLayer};
use ecqx_core::tensors::{Tensor, TensorData, TensorFile};

fn asset(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/models").join(name)).unwrap()
}

/// The file that `ecqx quantize` makes of an asset.
fn quantized(name: &str, bits: u8) -> Vec<u8> {
    let mut model = Model::from_bytes(&asset(name)).unwrap();
    let mut net = NetQuantizer::new(&model.network).unwrap();
    net.assign(&model.network, &QuantizeSettings::new(Method::Ecq, bits, 0.05, 0.0)).unwrap();
    net.write_into(&mut model.network);
    let tensor = |layer: QuantizedLayer<'_>| QuantizedTensor {
        name: format!("{}.weight", layer.name),
        shape: model.network.nodes()[layer.node].layer.weight_shape().unwrap(),
        levels: layer.assignment.clusters.iter().map(|&cluster| layer.codebook.level(cluster)).collect(),
        step: layer.codebook.step_size(),
        latent: None,
    };
    let tensors: Vec<QuantizedTensor> = net.layers().map(tensor).collect();
    model.to_quantized_bytes(&tensors, r#"{"method":"ecq","bits":4}"#.into())
}

fn encoded(bytes: &[u8], settings: EncodeSettings) -> Vec<u8> {
    let mut done = 0;
    let encoded = encode_file(bytes, settings, &mut |values| done += values).unwrap();
    assert!(encoded.model && encoded.left_out.is_empty() && done > 0);
    encoded.bytes
}

fn decoded(bytes: &[u8], generation: Generation) -> Result<Vec<u8>, CodecError> {
    decode_file(bytes, generation, &mut |_| ())
}

fn code(error: CodecError) -> &'static str {
    CoreError::from(error).code()
}

#[test]
fn quantized_models_come_back_to_the_last_bit() {
    for name in ["digits-mlp", "digits-cnn", "digits-resnet", "spirals-mlp"] {
        for (bits, generation) in [(2, Generation::First), (4, Generation::Second), (8, Generation::Second)] {
            let file = quantized(&format!("{name}.safetensors"), bits);
            let nnc = encoded(&file, EncodeSettings { generation, ..EncodeSettings::default() });
            assert!(decoded(&nnc, generation).unwrap() == file, "{name} at {bits} bit");
        }
    }
}

#[test]
fn what_is_not_weights_takes_few_bytes() {
    let nnc = encoded(&quantized("digits-mlp.safetensors", 4), EncodeSettings::default());
    let tensors = decode(&nnc, Generation::Second).unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["fc1.weight", "fc2.weight", "fc3.weight", "float", "ecqx"]);
    // Three step sizes and 202 biases, four bytes each.
    assert_eq!(tensors[3].shape, [205]);
    let TensorData::F32(floats) = &tensors[3].data else { panic!("{:?}", tensors[3].data) };
    assert!(floats[0] > 0.0);
    let description = encode_integers("ecqx", &tensors[4].shape, integers(&tensors[4]), EncodeSettings::default());
    assert!(description.unwrap().len() < 70, "of 400 bytes of JSON");
}

fn integers(tensor: &Tensor) -> &[i32] {
    match &tensor.data {
        TensorData::I32(values) => values,
        other => panic!("{} is {other:?}", tensor.name),
    }
}

/// A net whose first layer has a codebook without order, its second one a grid, and its third one floats.
fn mixed() -> TensorFile {
    let text = r#"{"input": [3], "layers": [{"name": "a", "kind": "dense", "units": 2, "bias": false},
        {"name": "bn", "kind": "batch_norm", "eps": 0.001}, {"name": "b", "kind": "dense", "units": 2},
        {"name": "c", "kind": "dense", "units": 1}]}"#;
    let mut model = Model::initialise(Architecture::from_json(text).unwrap(), 3).unwrap();
    model.metadata.insert("licence\n".into(), "ä \u{0} \u{7f} \"quoted\"".into());
    model.metadata.insert(String::new(), String::new());
    let mut file = TensorFile::from_bytes(&model.to_bytes()).unwrap();
    let place = |name: &str, file: &TensorFile| file.tensors.iter().position(|tensor| tensor.name == name).unwrap();
    let (a, b) = (place("a.weight", &file), place("b.weight", &file));
    file.tensors[a].data = TensorData::F32(vec![0.5, 0.0, -1.5, 0.0, 0.0, 0.5]);
    file.tensors[b].data = TensorData::F32(vec![75.0, 0.0, -0.25, 0.5]);
    let index = |name: &str, shape: &[usize], data| Tensor {
        name: format!("{name}.weight.index"),
        shape: shape.to_vec(),
        data,
    };
    file.tensors.extend([
        index("a", &[2, 3], TensorData::I8(vec![0, 1, 2, 1, 1, 0])),
        Tensor::f32("a.weight.codebook", &[4], vec![0.5, 0.0, -1.5, 9.0]),
        index("b", &[2, 2], TensorData::I16(vec![300, 0, -1, 2])),
        Tensor::f32("b.weight.step", &[], vec![0.25]),
    ]);
    file
}

#[test]
fn codebooks_grids_and_floats_in_one_model() {
    let file = mixed();
    let nnc = encoded(&file.to_bytes(), EncodeSettings::default());
    let back = TensorFile::from_bytes(&decoded(&nnc, Generation::Second).unwrap()).unwrap();
    assert_eq!(back, file);
    // Integers are counted from the place of 0 in the codebook.
    let tensors = decode(&nnc, Generation::Second).unwrap();
    assert_eq!(integers(&tensors[0]), [-1, 0, 1, 0, 0, -1]);
    // What training keeps is left out, and said.
    let mut trained = file.clone();
    trained.tensors.push(Tensor::f32("b.weight.latent", &[2, 2], vec![0.1; 4]));
    let encoded = encode_file(&trained.to_bytes(), EncodeSettings::default(), &mut |_| ()).unwrap();
    assert_eq!((encoded.left_out, encoded.bytes), (vec!["b.weight.latent".to_owned()], nnc));
}

#[test]
fn models_that_do_not_fit_their_integers_are_named() {
    let changed = |change: &dyn Fn(&mut TensorFile)| {
        let mut file = mixed();
        change(&mut file);
        encode_file(&file.to_bytes(), EncodeSettings::default(), &mut |_| ()).unwrap_err()
    };
    let find = |file: &mut TensorFile, name: &str| file.tensors.iter().position(|tensor| tensor.name == name).unwrap();
    let error = changed(&|file| {
        let at = find(file, "b.weight.step");
        file.tensors[at].data = TensorData::F32(vec![0.5]);
    });
    assert!(error.to_string().contains("weight 0 of \"b.weight\" is 75, not 150"), "{error}");
    assert_eq!(code(error), "codec/not-quantized");
    let short = changed(&|file| {
        let at = find(file, "b.weight.index");
        file.tensors[at] = Tensor { name: "b.weight.index".into(), shape: vec![1], data: TensorData::I8(vec![0]) };
    });
    assert_eq!(code(short), "codec/shape");
    let lost = changed(&|file| {
        let at = find(file, "a.weight.codebook");
        file.tensors.remove(at);
    });
    assert_eq!(code(lost), "file/missing-tensor");
    let wide = changed(&|file| {
        let at = find(file, "b.weight.index");
        file.tensors[at].data = TensorData::I64(vec![300, 0, -1, 2]);
    });
    assert_eq!(code(wide), "codec/type");
    let outside = changed(&|file| {
        let at = find(file, "a.weight.index");
        file.tensors[at].data = TensorData::I8(vec![0, 1, 2, 1, 1, 7]);
    });
    assert_eq!(code(outside), "codec/not-quantized");
}

#[test]
fn damaged_models_are_errors_or_models() {
    let nnc = encoded(&mixed().to_bytes(), EncodeSettings::default());
    for at in 0..nnc.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = nnc.clone();
            damaged[at] ^= flip;
            let _ = decoded(&damaged, Generation::Second);
        }
        let _ = decoded(&nnc[..at], Generation::Second);
    }
    // A description without the rest.
    let tensors = decode(&nnc, Generation::Second).unwrap();
    let text = tensors.last().unwrap();
    let unit = encode_integers("ecqx", &text.shape, integers(text), EncodeSettings::default()).unwrap();
    let alone = decoded(&join_units([unit.as_slice()]), Generation::Second).unwrap_err();
    assert_eq!(code(alone), "codec/damaged");
    let floats = encode_raw("float", &[40], &[1.0; 40]).unwrap();
    let more = decoded(&join_units([unit.as_slice(), floats.as_slice()]), Generation::Second).unwrap_err();
    assert_eq!(code(more), "codec/damaged");
    let junk = encode_integers("ecqx", &[2], &[1 << 20, 3], EncodeSettings::default()).unwrap();
    assert_eq!(code(decoded(&join_units([junk.as_slice()]), Generation::Second).unwrap_err()), "codec/damaged");
}

#[test]
fn other_files_keep_their_integers_and_round_their_floats() {
    let tensor = |name: &str, shape: &[usize], data| Tensor { name: name.into(), shape: shape.to_vec(), data };
    let file = TensorFile {
        metadata: [("format".into(), "pt".into())].into(),
        tensors: vec![
            tensor("z", &[2, 2], TensorData::I8(vec![-128, 0, 127, 1])),
            tensor("a", &[3], TensorData::I16(vec![-300, 0, 7])),
            tensor("scalar", &[], TensorData::I32(vec![i32::MIN])),
            tensor("bias", &[2], TensorData::F32(vec![0.1, -3.0])),
            tensor("weight", &[1, 2], TensorData::F32(vec![0.3, 2e9])),
        ],
    };
    let encoded = encode_file(&file.to_bytes(), EncodeSettings::default(), &mut |_| ()).unwrap();
    assert!(!encoded.model);
    let back = TensorFile::from_bytes(&decoded(&encoded.bytes, Generation::Second).unwrap()).unwrap();
    let names: Vec<&str> = back.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!((names, back.metadata.len()), (vec!["z", "a", "scalar", "bias", "weight"], 0));
    assert_eq!(back.tensors[0].data, TensorData::I32(vec![-128, 0, 127, 1]));
    assert_eq!((&back.tensors[2].shape, &back.tensors[2].data), (&vec![1], &TensorData::I32(vec![i32::MIN])));
    let apart = |at: usize, expected: [f32; 2]| {
        let TensorData::F32(values) = &back.tensors[at].data else { panic!("{:?}", back.tensors[at]) };
        values.iter().zip(expected).map(|(value, expected)| (value - expected).abs()).fold(0.0, f32::max)
    };
    assert!(apart(3, [0.1, -3.0]) < 5e-6 && apart(4, [0.3, 2e9]) < 4.0);
    let encode = |data| {
        let file = TensorFile { tensors: vec![tensor("t", &[1], data)], ..TensorFile::default() };
        code(encode_file(&file.to_bytes(), EncodeSettings::default(), &mut |_| ()).unwrap_err())
    };
    assert_eq!((encode(TensorData::U8(vec![1])), encode(TensorData::I64(vec![1]))), ("codec/type", "codec/type"));
    let reserved = TensorFile { tensors: vec![tensor("ecqx", &[1], TensorData::I8(vec![1]))], ..TensorFile::default() };
    let error = encode_file(&reserved.to_bytes(), EncodeSettings::default(), &mut |_| ()).unwrap_err();
    assert_eq!(code(error), "codec/name");
}
