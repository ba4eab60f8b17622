"""Labels of pictures, read and written: COCO, YOLO text, Pascal VOC."""
