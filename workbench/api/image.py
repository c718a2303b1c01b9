"""`tf.image`: operations on images."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.image.resizing": """
        ResizeMethod resize_images resize_area resize_bicubic resize_bilinear
        resize_nearest_neighbor
        """,
    "workbench.core.ops.image.cropping": "crop_and_resize extract_glimpse",
    "workbench.core.ops.image.framing": """
        central_crop crop_to_bounding_box pad_to_bounding_box resize_image_with_crop_or_pad
        """,
    "workbench.core.ops.image.orientation": """
        flip_left_right flip_up_down random_flip_left_right random_flip_up_down rot90
        transpose_image
        """,
    "workbench.core.ops.random": "random_crop",
    "workbench.core.ops.image.color": """
        adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation
        grayscale_to_rgb hsv_to_rgb random_brightness random_contrast random_hue random_saturation
        rgb_to_grayscale rgb_to_hsv
        """,
    "workbench.core.ops.image.color_spaces": "rgb_to_yiq rgb_to_yuv yiq_to_rgb yuv_to_rgb",
    "workbench.core.ops.image.edges": "image_gradients sobel_edges",
    "workbench.core.ops.image.similarity": "psnr ssim ssim_multiscale",
    "workbench.core.ops.image.numbers": """
        convert_image_dtype per_image_standardization total_variation
        """,
    "workbench.core.ops.image.boxes": """
        draw_bounding_boxes non_max_suppression sample_distorted_bounding_box
        """,
    "workbench.core.ops.image.files": """
        decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png encode_jpeg
        encode_png extract_jpeg_shape
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
