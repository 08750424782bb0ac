"""Images: every kind of measurement besides curves; the rest of the package works without this folder.

The tables are read by `sasnet_plugin.extensions`.
"""

#: Kind of measurement -> its specification.
KINDS = {
    "gisas_hex": "sasnet_plugin.images.gisas.specification:GISAS_HEX",
    "gisas_growth": "sasnet_plugin.images.growth.specification:GISAS_GROWTH",
    "sans2d": "sasnet_plugin.images.sans.specification:SANS2D",
    "diffraction": "sasnet_plugin.images.diffraction.specification:DIFFRACTION",
    "xray_tags": "sasnet_plugin.images.xray_tags.specification:XRAY_TAGS",
}
#: Command -> its function.
COMMANDS = {
    "sort": "sasnet_plugin.images.commands:sort",
    "tag": "sasnet_plugin.images.commands:tag",
}
#: What other parts of the package ask for -> the function that does it.
SERVICES = {
    "average_sectors": "sasnet_plugin.images.sans.rings:average_sectors",
    "answer_page": "sasnet_plugin.images.report:answer_page",
    "adapt": "sasnet_plugin.images.training.adapted:adapt",
    "export_fit": "sasnet_plugin.images.sans.report:export_fit",
    "fit_image": "sasnet_plugin.images.service:verify_by_fit",
    "follow": "sasnet_plugin.images.commands:follow_images",
    "is_image": "sasnet_plugin.images.service:is_surely_image",
    "is_image_file": "sasnet_plugin.images.recognition:is_image_file",
    "list_images": "sasnet_plugin.images.service:list_images",
    "may_hold_images": "sasnet_plugin.images.reading:may_hold_images",
    "open_tags": "sasnet_plugin.images.tagging.workspace:open_tagging",
    "page_name": "sasnet_plugin.images.report:page_name",
    "network_page": "sasnet_plugin.images.report:write_network_page",
    "refine_answer": "sasnet_plugin.images.sans.fitting:refine_answer",
    "record_labels": "sasnet_plugin.images.training.adapted:record",
    "routers": "sasnet_plugin.images.tagging.routes:routers",
    "series_lines": "sasnet_plugin.images.series:ImageLines",
}
